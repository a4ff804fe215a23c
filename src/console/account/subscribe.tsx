/** What an org sees that is not subscribed. */
import { useState } from 'preact/hooks';
import { setSubscription } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';

export function SubscribePage() {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const subscribe = async () => {
    setBusy(true);
    setFault(null);
    try {
      await setSubscription(true);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <section class="welcome">
      <h1>Commands that wait for the laptop to open</h1>
      <p>
        A command that you send to a sensor that is offline is lost. Reliable Tasking keeps it: it is delivered when the
        sensor connects, sent again until the sensor has answered, and never after its time is over.
      </p>
      <ol>
        <li>Write a command and say which sensors it is for: one, a tag, or a selector.</li>
        <li>Sensors that are online get it at once, the others when they connect, new ones too.</li>
        <li>See who has run it, who has not, and why.</li>
      </ol>
      <Fault text={fault} />
      <button type="button" class="primary" disabled={busy} onClick={subscribe}>
        {busy ? 'Subscribing …' : 'Subscribe this org'}
      </button>
    </section>
  );
}
