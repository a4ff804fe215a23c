/** The frame: who is signed in, where things are, and the page that the address names. */
import { useEffect, useState } from 'preact/hooks';
import { live } from './api/stream.ts';
import icon from './icon.svg';
import { ActivityPage } from './pages/activity.tsx';
import { DetectionsPage } from './pages/detections.tsx';
import { NewTaskPage } from './pages/new-task.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RulesPage } from './pages/rules.tsx';
import { SensorPage } from './pages/sensor.tsx';
import { SensorsPage } from './pages/sensors.tsx';
import { SettingsPage } from './pages/settings.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { SubscribePage } from './pages/subscribe.tsx';
import { TaskPage } from './pages/task.tsx';
import { TasksPage } from './pages/tasks.tsx';
import { go, place } from './router.ts';
import { choose, leave, session, subscribed } from './session.ts';
import { Dialog } from './ui/dialog.tsx';

type Entry = { path: string; title: string; page: (rest: string[]) => preact.JSX.Element };

/** The rest of the path names what is shown: a task, a sensor. */
const PAGES: readonly Entry[] = [
  { path: 'overview', title: 'Overview', page: () => <OverviewPage /> },
  { path: 'tasks', title: 'Reliable Tasking', page: ([id]) => (id ? <TaskPage taskId={id} /> : <TasksPage />) },
  { path: 'sensors', title: 'Sensors', page: ([sid]) => (sid ? <SensorPage sid={sid} /> : <SensorsPage />) },
  { path: 'detections', title: 'Detections', page: () => <DetectionsPage /> },
  { path: 'rules', title: 'Rules', page: ([hive, name]) => <RulesPage hive={hive} name={name} /> },
  { path: 'activity', title: 'Activity', page: () => <ActivityPage /> },
];
const OTHERS: readonly Entry[] = [
  { path: 'new', title: 'New task', page: () => <NewTaskPage /> },
  { path: 'settings', title: 'Settings', page: () => <SettingsPage /> },
];

const KEYS: readonly [string, string][] = [
  ['n', 'New task'],
  ['/', 'Search'],
  ['t', 'Tasks'],
  ['s', 'Sensors'],
  ['o', 'Overview'],
  ['?', 'This help'],
  ['Esc', 'Close'],
];
const GO: Record<string, string> = { n: '/new', t: '/tasks', s: '/sensors', o: '/overview' };

export function App() {
  const [help, setHelp] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, select')) return;
      if (session.value === null || document.querySelector('dialog[open]')) return;
      if (event.key === '?') setHelp(true);
      else if (event.key === '/') document.querySelector<HTMLInputElement>('[data-search]')?.focus();
      else if (GO[event.key]) go(GO[event.key] as string);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  if (session.value === null) return <SignInPage />;
  const [head = 'tasks', ...rest] = place.value.path;
  const entry = [...PAGES, ...OTHERS].find(({ path }) => path === head) ?? (PAGES[1] as Entry);
  document.title = `${entry.title} – Reliable Tasking`;
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <Side at={entry.path} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <main id="main" tabIndex={0}>
        {subscribed.value === false && head !== 'settings' ? <SubscribePage /> : entry.page(rest)}
      </main>
      {help ? (
        <Dialog title="Keyboard" onClose={() => setHelp(false)}>
          <dl class="keys">
            {KEYS.map(([key, meaning]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </Dialog>
      ) : null}
    </div>
  );
}

function Side({ at }: { at: string }) {
  const [open, setOpen] = useState(false);
  const where = place.value;
  useEffect(() => setOpen(false), [where]);
  return (
    <aside class="side-nav">
      <a class="brand" href="#/tasks" aria-label="Reliable Tasking">
        <img src={icon} alt="" width="28" height="28" />
        <span>Reliable Tasking</span>
      </a>
      <button
        type="button"
        class="menu-button"
        aria-expanded={open}
        aria-controls="menu"
        onClick={() => setOpen(!open)}
        onKeyDown={({ key }) => key === 'Escape' && setOpen(false)}
      >
        Menu
      </button>
      <div id="menu" class={open ? 'menu open' : 'menu'}>
        <nav aria-label="Main">
          {PAGES.map(({ path, title }) => (
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

const LIVE_WORDS = { off: 'Not live', connecting: 'Connecting …', live: 'Live' } as const;

function OrgBox() {
  const signedIn = session.value;
  if (signedIn === null) return null;
  return (
    <div class="org-box">
      <span class={`live ${live.value}`} role="status">
        <i aria-hidden="true" />
        {LIVE_WORDS[live.value]}
      </span>
      {signedIn.orgs.length > 1 ? (
        <label>
          Org
          <select
            value={signedIn.oid}
            onChange={({ currentTarget }) => void choose({ ...signedIn, oid: currentTarget.value })}
          >
            {signedIn.orgs.map(({ oid, name }) => (
              <option key={oid} value={oid}>
                {name}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <span class="oid" title="Org">
          {signedIn.oid}
        </span>
      )}
      <span class="row">
        <a href="#/settings">Settings</a>
        <button type="button" class="link" onClick={leave}>
          Sign out
        </button>
      </span>
    </div>
  );
}
