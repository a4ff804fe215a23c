/** Settings: colours, and the subscription of the org. */
import { useState } from 'preact/hooks';
import { current, setSubscription, subscribed } from '../session.ts';
import { type Theme, theme } from '../theme.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault, Head } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';

const THEMES: readonly [Theme, string][] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function SettingsPage() {
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const change = async (on: boolean) => {
    setAsking(false);
    try {
      await setSubscription(on);
      setFault(null);
      // The button that had the focus is gone.
      document.getElementById('main')?.focus();
    } catch (error) {
      setFault(sentenceOf(error));
    }
  };
  return (
    <>
      <Head title="Settings" />
      <section class="card" aria-label="Appearance">
        <h2>Appearance</h2>
        <div class="row" role="radiogroup" aria-label="Colours">
          {THEMES.map(([value, title]) => (
            <label class="check" key={value}>
              <input
                type="radio"
                name="theme"
                checked={theme.value === value}
                onChange={() => {
                  theme.value = value;
                }}
              />
              {title}
            </label>
          ))}
        </div>
      </section>
      <section class="card" aria-label="Subscription">
        <h2>Subscription</h2>
        <p>
          Org <code>{current().oid}</code> is {subscribed.value ? 'subscribed to' : 'not subscribed to'}{' '}
          ext-reliable-tasking.
        </p>
        <Fault text={fault} />
        {subscribed.value ? (
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            Unsubscribe …
          </button>
        ) : (
          <button type="button" class="primary" onClick={() => void change(true)}>
            Subscribe
          </button>
        )}
      </section>
      {asking ? (
        <Dialog title="Unsubscribe this org?" onClose={() => setAsking(false)}>
          <p>
            Its tasks are no longer sent. Pending tasks stay until they expire. If the org subscribes again before that,
            they continue.
          </p>
          <footer>
            <button type="button" onClick={() => setAsking(false)}>
              Stay subscribed
            </button>
            <button type="button" class="danger" onClick={() => void change(false)}>
              Unsubscribe
            </button>
          </footer>
        </Dialog>
      ) : null}
    </>
  );
}
