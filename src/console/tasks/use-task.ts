/**
 * A task and its deliveries, kept current by the live events. The first `FIRST` deliveries are read at once and again after
 * events; the first `MOST` if the user scrolls further or searches. Further ones are read page by page and not again.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import { onActivity } from '../api/stream.ts';
import type { DeliveryRow, TaskDetail } from '../api/types.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';

const FIRST = 500;
const MOST = 10_000;
/** Above this number, reading takes longer and is repeated less often. */
const MANY = 2_000;
const FRESH_MS = 1_000;
const FRESH_MANY_MS = 5_000;

/** The deliveries after the sensor `of`. */
type Rest = { of: string; rows: readonly DeliveryRow[]; cursor: string | undefined };

export function useTask(oid: string, taskId: string, wantsAll: boolean) {
  const [deeper, setDeeper] = useState(false);
  const [rest, setRest] = useState<Rest | null>(null);
  const [moreFault, setMoreFault] = useState<string | null>(null);
  const isReading = useRef(false);
  const limit = deeper || wantsAll ? MOST : FIRST;
  const ask = (part: object, stopped?: AbortSignal) =>
    action<TaskDetail>(oid, 'get', { task_id: taskId, limit, ...part }, stopped);
  const first = useLoaded((stopped) => ask({}, stopped), [oid, taskId]);
  const firsts = first.value?.sensors ?? [];
  const lastSid = firsts.at(-1)?.sid ?? '';
  const further = rest?.of === lastSid ? rest : null;
  const cursor = further ? further.cursor : first.value?.next_cursor;

  useEffect(() => {
    if (limit === MOST) first.again();
  }, [limit]);
  const freshMs = firsts.length > MANY ? FRESH_MANY_MS : FRESH_MS;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onActivity((_, { event }) => {
      if (event.task_id !== taskId || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        first.again();
      }, freshMs);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [taskId, freshMs]);

  const more = async (): Promise<void> => {
    if (cursor === undefined || isReading.current) return;
    if (limit !== MOST) return setDeeper(true);
    if (firsts.length < MOST) return; // the first ones are being read
    isReading.current = true;
    try {
      const page = await ask({ cursor });
      setRest({ of: lastSid, rows: [...(further?.rows ?? []), ...page.sensors], cursor: page.next_cursor });
      setMoreFault(null);
    } catch (error) {
      setMoreFault(sentenceOf(error));
    }
    isReading.current = false;
  };
  const sensors = further ? [...firsts, ...further.rows] : firsts;
  return { ...first, fault: first.fault ?? moreFault, sensors, cursor, more };
}
