/** Sign-in with an API key. The key is kept in memory only. Closing the page discards it. */
import { useState } from 'preact/hooks';
import icon from '../icon.svg';
import { ended, enter } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';

const text = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();

export function SignInPage() {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [isUser, setUser] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFault(null);
    try {
      await enter({ apiKey: text(form, 'key'), oid: text(form, 'oid') || null, uid: text(form, 'uid') || null });
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <img src={icon} alt="" width="48" height="48" />
        <h1>Reliable Tasking</h1>
        <p>Tasks for sensors that may be offline: queue a task once, and each sensor gets it when it connects.</p>
        {isUser ? (
          <label>
            User id
            <input name="uid" required autocomplete="username" spellcheck={false} />
          </label>
        ) : (
          <label>
            Org id
            <input name="oid" required autocomplete="username" spellcheck={false} placeholder="a UUID" />
          </label>
        )}
        <label>
          {isUser ? 'User key' : 'API key'}
          <input name="key" type="password" required autocomplete="off" />
        </label>
        <Fault text={fault ?? ended.value} />
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
        <button type="button" class="link" onClick={() => setUser(!isUser)}>
          {isUser ? 'Use an API key of one org' : 'Use a user key for several orgs'}
        </button>
        <p class="hint">The key is kept in memory only. Closing the page discards it.</p>
      </form>
    </main>
  );
}
