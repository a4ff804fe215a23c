/** Actions on a sensor: send due tasks now, isolate, rejoin. */
import { useState } from 'preact/hooks';
import { action, call } from '../api/client.ts';
import type { SensorInfo } from '../api/types.ts';
import { shown } from '../format.ts';
import { current } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';

type Props = { info: SensorInfo; online: boolean; onChange(): void };

export function SensorActions({ info, online, onChange }: Props) {
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const { sid, hostname, should_isolate: isolated } = info;
  const run = async (what: () => Promise<unknown>, sentence: string) => {
    setAsking(false);
    setSaid('');
    try {
      await what();
      setFault(null);
      setSaid(sentence);
      onChange();
    } catch (error) {
      setFault(sentenceOf(error));
    }
  };
  const sendNow = () =>
    run(
      () => action(current().oid, 'signal_attempt', { sid }),
      online ? 'Due tasks are sent now.' : 'The sensor is offline. Due tasks are sent when it connects.',
    );
  const isolate = (on: boolean) =>
    run(
      () => call(`/v1/${encodeURIComponent(sid)}/isolation`, { method: on ? 'POST' : 'DELETE' }),
      `${on ? 'Isolation' : 'Rejoin'} requested. The gateway applies it.`,
    );
  return (
    <section class="card" aria-label="Actions">
      <div class="row">
        <button type="button" onClick={() => void sendNow()}>
          Send due tasks now
        </button>
        {isolated ? (
          <button type="button" onClick={() => void isolate(false)}>
            Rejoin the network
          </button>
        ) : (
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            Isolate …
          </button>
        )}
        <span class="sub" role="status">
          {said}
        </span>
      </div>
      <Fault text={fault} />
      {asking ? (
        <Dialog title={`Isolate ${shown(hostname || sid)}?`} onClose={() => setAsking(false)}>
          <p>
            The request is stored at once, and the gateway applies it. An isolated sensor reaches only the gateway,
            until it rejoins the network. It still gets tasks.
          </p>
          <footer>
            <button type="button" onClick={() => setAsking(false)}>
              Cancel
            </button>
            <button type="button" class="danger" onClick={() => void isolate(true)}>
              Isolate
            </button>
          </footer>
        </Dialog>
      ) : null}
    </section>
  );
}
