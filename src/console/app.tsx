/** The frame: the menu, the page of the current route, and the keyboard shortcuts. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { SettingsPage } from './account/settings.tsx';
import { SignInPage } from './account/sign-in.tsx';
import { SubscribePage } from './account/subscribe.tsx';
import { NewTaskPage } from './new-task/new-task.tsx';
import { ActivityPage } from './overview/activity.tsx';
import { DetectionsPage } from './overview/detections.tsx';
import { OverviewPage } from './overview/overview.tsx';
import { go, route } from './router.ts';
import { RulesPage } from './rules/rules.tsx';
import { SensorPage } from './sensors/sensor.tsx';
import { SensorsPage } from './sensors/sensors.tsx';
import { session, subscribed } from './session.ts';
import { Side } from './side.tsx';
import { TaskPage } from './tasks/task.tsx';
import { TasksPage } from './tasks/tasks.tsx';
import { Boundary } from './ui/boundary.tsx';
import { Dialog } from './ui/dialog.tsx';

type Entry = { path: string; title: string; page: (rest: string[]) => preact.JSX.Element };

/** The rest of the path is the id of a task or sensor, or the hive and name of a rule. */
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
  ['?', 'Help'],
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
  const main = useRef<HTMLElement>(null);
  const path = route.value.path.join('/');
  const isIn = session.value !== null;
  // A new page starts at its top and takes the focus: the link that led to it may be gone.
  useEffect(() => {
    const first = main.current?.querySelector<HTMLElement>('[data-first]') ?? main.current;
    main.current?.scrollTo(0, 0);
    first?.focus({ preventScroll: true });
  }, [path, isIn]);
  if (!isIn) return <SignInPage />;
  const [head = 'tasks', ...rest] = route.value.path;
  const entry = [...PAGES, ...OTHERS].find((entry) => entry.path === head) ?? (PAGES[1] as Entry);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Side at={entry.path} pages={PAGES} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <main id="main" tabIndex={0} ref={main}>
        <Boundary key={`${session.value?.oid} ${path}`}>
          {subscribed.value === false && head !== 'settings' ? <SubscribePage /> : entry.page(rest)}
        </Boundary>
      </main>
      {help ? (
        <Dialog title="Keyboard shortcuts" onClose={() => setHelp(false)}>
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
