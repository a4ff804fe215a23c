/**
 * Queues the draft for the number of sensors that the page shows. Each click counts the sensors again. If the number has changed,
 * or is large and was not typed, the page asks instead. If the draft changes, the dialog closes or the user leaves the page
 * meanwhile, nothing is queued, unless the request was already sent.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import type { Preview, Tasked } from '../api/types.ts';
import { count, plural } from '../format.ts';
import { go } from '../router.ts';
import { sentenceOf } from '../ui/async.ts';
import { type Draft, nextStep, targetOf, ttlSeconds } from './draft.ts';
import { previewOf, type Targets } from './use-targets.ts';

/** `before`: the number that was clicked, or typed. */
export type Asked = { preview: Preview; before: number };

export type Queueing = {
  asked: Asked | null;
  doing: 'counting' | 'queueing' | null;
  fault: string | null;
  run(shown: number, isConfirmed: boolean): Promise<void>;
  cancel(): void;
};

/** `id` is the idempotency key of the draft. Each change of the draft makes a new one. */
export function useQueueing(oid: string, draft: Draft, id: string, targets: Targets): Queueing {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [doing, setDoing] = useState<Queueing['doing']>(null);
  const [fault, setFault] = useState<string | null>(null);
  const generation = useRef(0);
  const isThere = useRef(true);
  useLayoutEffect(() => {
    setFault(null);
    return () => {
      generation.current += 1;
    };
  }, [id]);
  useLayoutEffect(
    () => () => {
      isThere.current = false;
    },
    [],
  );

  /** Whether the task is queued. */
  const attempt = async (shown: number, isConfirmed: boolean): Promise<boolean> => {
    const mine = generation.current;
    setDoing('counting');
    const preview = await previewOf(oid, targetOf(draft));
    if (generation.current !== mine) return false;
    targets.put(preview);
    const now = preview.total_sensors;
    const step = nextStep(shown, now, isConfirmed);
    if (step === 'ask') setAsked({ preview, before: shown });
    if (step === 'changed')
      setFault(`The button showed ${plural(shown, 'sensor')}; ${count(now)} match now. Queue again to confirm.`);
    if (step !== 'queue') return false;
    setDoing('queueing');
    const { task_id } = await action<Tasked>(oid, 'task', {
      task: draft.command,
      selector: targetOf(draft),
      ...(draft.context ? { context: draft.context } : {}),
      ttl: ttlSeconds(draft),
      idempotency_key: id,
    });
    if (isThere.current) go(`/tasks/${task_id}`);
    return true;
  };

  return {
    asked,
    doing,
    fault,
    run: async (shown, isConfirmed) => {
      if (doing !== null) return;
      setFault(null);
      try {
        if (await attempt(shown, isConfirmed)) return;
      } catch (error) {
        setFault(sentenceOf(error));
      }
      setDoing(null);
    },
    cancel: () => {
      generation.current += 1;
      setAsked(null);
      setFault(null);
    },
  };
}
