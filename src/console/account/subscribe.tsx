/** The page of an org without a subscription. */
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
      <h1>Tasks for sensors that are offline</h1>
      <p>
        A command line that is sent to an offline sensor is lost. Reliable Tasking keeps it as a task: it sends the task
        when the sensor connects, sends it again until the sensor answers, and never sends it after it has expired.
      </p>
      <ol>
        <li>Enter a command line and choose its sensors: one sensor, a tag or a selector.</li>
        <li>Online sensors get the task at once. Offline and new sensors get it when they connect.</li>
        <li>See which sensors have run it, which have not, and why.</li>
      </ol>
      <Fault text={fault} />
      <button type="button" class="primary" disabled={busy} onClick={subscribe}>
        {busy ? 'Subscribing …' : 'Subscribe this org'}
      </button>
    </section>
  );
}
