/** Asks before a task is withdrawn, and says what this stops and what it cannot stop. For many sensors the user types their number. */
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

/** The sensors that have not answered: the withdrawal concerns them. */
const unansweredOf = ({ queued, sent }: Counts): number => queued + sent;

export function Withdraw({ task, onClose, onDone }: Props) {
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
  const unanswered = unansweredOf(shown);
  const isMany = counts !== null && unanswered > CONFIRM_ABOVE;

  const withdraw = async () => {
    if (busy) return;
    setBusy(true);
    setFault(null);
    try {
      const now = await recount();
      if (!isOpen.current) return;
      if (unansweredOf(now) > unanswered) {
        setCounts(now);
        setFault(
          `${plural(unansweredOf(now), 'sensor has', 'sensors have')} not answered now; before, it was ${count(unanswered)}. Withdraw again to confirm.`,
        );
        setBusy(false);
        return;
      }
      await action(oid, 'untask', { task_id });
      onDone();
      onClose();
      // The button that had the focus is about to go.
      document.getElementById('main')?.focus();
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  const label = busy ? 'Withdrawing …' : 'Withdraw task';
  const keep = (
    <button type="button" onClick={onClose}>
      Keep task
    </button>
  );
  return (
    <Dialog title="Withdraw this task?" onClose={onClose}>
      <p>
        Queued, and not sent any more: <b>{plural(shown.queued, 'sensor')}</b>. Sent without an answer, and not sent
        again: <b>{plural(shown.sent, 'sensor')}</b>. Sensors that match later do not get the task.
      </p>
      <p>
        This does not undo anything: {plural(shown.done + shown.failed, 'sensor has', 'sensors have')} run it already,
        and sensors that were sent the task may still run it.
      </p>
      {isMany ? (
        <TypeNumber
          sensors={unanswered}
          purpose={`To withdraw it from ${plural(unanswered, 'sensor')}`}
          fault={fault}
          onTyped={() => void withdraw()}
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
            <button
              type="button"
              class="danger"
              disabled={counts === null}
              aria-disabled={busy}
              onClick={() => void withdraw()}
            >
              {label}
            </button>
          </footer>
        </>
      )}
    </Dialog>
  );
}
