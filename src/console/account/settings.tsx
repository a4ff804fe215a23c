/** The subscription of the org, and how the console looks. */
import { useState } from 'preact/hooks';
import { current, setSubscription, subscribed } from '../session.ts';
import { type Theme, theme } from '../theme.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault, Head } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';

const THEMES: readonly [Theme, string][] = [
  ['system', 'As the system'],
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
      // The button that asked for this is gone.
      document.getElementById('main')?.focus();
    } catch (error) {
      setFault(sentenceOf(error));
    }
  };
  return (
    <>
      <Head title="Settings" />
      <section class="card" aria-label="Look">
        <h2>Look</h2>
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
            Nothing more is sent to its sensors. Tasks that wait stay until their time is over; if the org subscribes
            again before that, they go on where they were.
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
