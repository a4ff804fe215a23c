/** The menu, the org, and the state of the event stream. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { live } from './api/stream.ts';
import icon from './icon.svg';
import { route } from './router.ts';
import { choose, leave, session } from './session.ts';
import { sentenceOf } from './ui/async.ts';
import { Fault } from './ui/bits.tsx';

type Props = { at: string; pages: readonly { path: string; title: string }[] };

export function Side({ at, pages }: Props) {
  const [open, setOpen] = useState(false);
  const current = route.value;
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => setOpen(false), [current]);
  return (
    <aside class="side-nav" onKeyDown={({ key }) => key === 'Escape' && open && close()}>
      <a class="brand" href="#/tasks" aria-label="Reliable Tasking">
        <img src={icon} alt="" width="28" height="28" />
        <span>Reliable Tasking</span>
      </a>
      <button
        type="button"
        ref={button}
        class="menu-button"
        aria-expanded={open}
        aria-controls="menu"
        onClick={() => setOpen(!open)}
      >
        Menu
      </button>
      <div id="menu" class={open ? 'menu open' : 'menu'}>
        <nav aria-label="Main">
          {pages.map(({ path, title }) => (
            <a key={path} href={`#/${path}`} aria-current={path === at ? 'page' : undefined}>
              {path === 'tasks' ? <small>Automation</small> : null}
              {title}
            </a>
          ))}
        </nav>
        <OrgBox />
      </div>
    </aside>
  );
}

const LIVE_LABELS = { off: 'Not connected', connecting: 'Connecting …', live: 'Live' } as const;

function OrgBox() {
  const [fault, setFault] = useState<string | null>(null);
  const signedIn = session.value;
  if (signedIn === null) return null;
  const change = (oid: string) =>
    choose({ ...signedIn, oid }).then(
      () => setFault(null),
      (error) => setFault(sentenceOf(error)),
    );
  return (
    <div class="org-box">
      <span class={`live ${live.value}`} role="status">
        <i aria-hidden="true" />
        {LIVE_LABELS[live.value]}
      </span>
      {signedIn.orgs.length > 1 ? (
        <label>
          Org
          <select value={signedIn.oid} onChange={({ currentTarget }) => void change(currentTarget.value)}>
            {signedIn.orgs.map(({ oid, name }) => (
              <option key={oid} value={oid}>
                {name || oid}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <span class="oid" title={`Org ${signedIn.oid}`}>
          {signedIn.orgs[0]?.name || signedIn.oid}
        </span>
      )}
      <Fault text={fault} />
      <span class="row">
        <a href="#/settings">Settings</a>
        <button type="button" class="link" onClick={leave}>
          Sign out
        </button>
      </span>
    </div>
  );
}
