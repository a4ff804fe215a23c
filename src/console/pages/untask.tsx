/** Asks before a task is removed, and says what that stops and what it cannot. */
import { useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import type { TaskDetail } from '../api/types.ts';
import { plural } from '../format.ts';
import { current } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';

type Props = { task: TaskDetail; onClose(): void; onDone(): void };

export function Untask({ task, onClose, onDone }: Props) {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { queued, sent, done, failed } = task.counts;
  const remove = async () => {
    setBusy(true);
    setFault(null);
    try {
      await action(current().oid, 'untask', { task_id: task.task_id });
      onDone();
      onClose();
      // The button that asked for this is about to go.
      document.getElementById('main')?.focus();
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Remove this task?" onClose={onClose}>
      <p>
        It stops for <b>{plural(queued, 'sensor')}</b> that still wait, and nothing is sent again to{' '}
        <b>{plural(sent, 'sensor')}</b> that have been sent it without an answer so far. Sensors that enrol later won’t
        get it either.
      </p>
      <p>
        It can’t be recalled from where it has arrived: {plural(done + failed, 'sensor has', 'sensors have')} run it,
        and those that were sent it may still run it.
      </p>
      <Fault text={fault} />
      <footer>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={busy} onClick={remove}>
          {busy ? 'Removing …' : 'Remove the task'}
        </button>
      </footer>
    </Dialog>
  );
}
