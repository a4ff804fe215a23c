/** Asks before a task is removed, and says what this stops and what it cannot stop. For many sensors the user types their number. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { CONFIRM_ABOVE } from '../../model/confirm.ts';
import { action } from '../api/client.ts';
import type { Counts, TaskDetail } from '../api/types.ts';
import { count, plural } from '../format.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TypeNumber } from '../ui/type-number.tsx';

type Props = { task: TaskDetail; onClose(): void; onDone(): void };

/** The sensors that a removal concerns: they have not answered. */
const openOf = ({ queued, sent }: Counts): number => queued + sent;

export function Untask({ task, onClose, onDone }: Props) {
  const { oid } = current();
  const { task_id } = task;
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const recount = async (stopped?: AbortSignal) =>
    (await action<TaskDetail>(oid, 'get', { task_id, limit: 1 }, stopped)).counts;
  const counting = useLoaded(recount, [oid, task_id]);
  // Sensors answer meanwhile. The requested number stays, and a smaller number needs no new question.
  const [counts, setCounts] = useState<Counts | null>(null);
  useEffect(() => {
    if (counts === null) setCounts(counting.value);
  }, [counting.value]);
  // Closing the dialog during the count keeps the task.
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const shown = counts ?? task.counts;
  const open = openOf(shown);
  const isMany = counts !== null && open > CONFIRM_ABOVE;

  const remove = async () => {
    if (busy) return;
    setBusy(true);
    setFault(null);
    try {
      const now = await recount();
      if (!isOpen.current) return;
      if (openOf(now) > open) {
        setCounts(now);
        setFault(
          `The task is now open on ${plural(openOf(now), 'sensor')}, not ${count(open)}. Remove it again if that is right.`,
        );
        setBusy(false);
        return;
      }
      await action(oid, 'untask', { task_id });
      onDone();
      onClose();
      // The button that asked for this is about to go.
      document.getElementById('main')?.focus();
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  const label = busy ? 'Removing …' : 'Remove the task';
  const keep = (
    <button type="button" onClick={onClose}>
      Keep it
    </button>
  );
  return (
    <Dialog title="Remove this task?" onClose={onClose}>
      <p>
        It stops for <b>{plural(shown.queued, 'sensor')}</b> that still wait, and nothing is sent again to{' '}
        <b>{plural(shown.sent, 'sensor')}</b> that have been sent it without an answer so far. Sensors that enrol later
        won’t get it either.
      </p>
      <p>
        It can’t be recalled from where it has arrived:{' '}
        {plural(shown.done + shown.failed, 'sensor has', 'sensors have')} run it, and those that were sent it may still
        run it.
      </p>
      {isMany ? (
        <TypeNumber
          sensors={open}
          purpose={`To withdraw it from ${plural(open, 'sensor')}`}
          fault={fault}
          onTyped={() => void remove()}
        >
          {keep}
          <button type="submit" class="danger" aria-disabled={busy}>
            {label}
          </button>
        </TypeNumber>
      ) : (
        <>
          <Fault text={fault ?? (counts === null ? counting.fault : null)} again={counting.again} />
          <footer>
            {keep}
            <button type="button" class="danger" disabled={counts === null} aria-disabled={busy} onClick={remove}>
              {label}
            </button>
          </footer>
        </>
      )}
    </Dialog>
  );
}
