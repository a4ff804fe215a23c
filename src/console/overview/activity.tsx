/** The live events since this page was opened, the newest first, up to a limit. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import { onActivity } from '../api/stream.ts';
import type { ActivityEvent, TaskDetail } from '../api/types.ts';
import { plural } from '../format.ts';
import { current } from '../session.ts';
import { Ago, Code, Empty, Head } from '../ui/bits.tsx';
import type { ShownState } from '../ui/states.ts';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { createCommands } from './command-store.ts';

type Line = { key: string; name: string; activity: ActivityEvent };

const KEPT = 2_000;
const ROW_PX = 40;
/** Thousands of events may come in a second. The page is drawn a few times a second. */
const DRAW_MS = 250;

/** The state whose colour an event has, and its label. */
const EVENTS: Readonly<Record<string, readonly [ShownState, string]>> = {
  add_task: ['queued', 'queued'],
  try_task: ['sent', 'dispatched'],
  task_sent: ['sent', 'sent'],
  task_done: ['done', 'done'],
  task_failure: ['failed', 'failed'],
  task_expired: ['expired', 'expired'],
  task_removed: ['removed', 'removed'],
};

const idsOf = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ activity }) => (activity.event.task_id ? [activity.event.task_id] : []));

export function ActivityPage() {
  const { oid } = current();
  const names = useMemo(
    () => createCommands(async (task_id) => (await action<TaskDetail>(oid, 'get', { task_id, limit: 1 })).task),
    [oid],
  );
  const commands = names.commands.value;
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [seen, setSeen] = useState(0);
  useEffect(() => {
    let waiting: Line[] = [];
    const stop = onActivity((name, activity) => {
      const { task_id: id, task } = activity.event;
      if (id && task) names.note(id, task);
      waiting.unshift({ key: `${activity.routing.event_id} ${name}`, name, activity });
      if (waiting.length > KEPT) waiting.length = KEPT;
    });
    const timer = setInterval(() => {
      if (waiting.length === 0) return;
      const fresh = waiting;
      waiting = [];
      setSeen((n) => n + fresh.length);
      setLines((was) => [...fresh, ...was].slice(0, KEPT));
    }, DRAW_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [names]);
  return (
    <>
      <Head title="Activity">
        <span class="total" role="status">
          {plural(seen, 'event')} since this page was opened
        </span>
      </Head>
      {lines.length === 0 ? (
        <Empty title="No events yet">
          <p>Task events appear here as they happen: queued, sent, done, expired.</p>
        </Empty>
      ) : (
        <VirtualTable
          rows={lines}
          keyOf={(line) => line.key}
          rowHeight={ROW_PX}
          label="Activity"
          onView={(shown) => names.inView(idsOf(shown))}
          head={
            <>
              <HeadCell class="w-age">Time</HeadCell>
              <HeadCell class="w-state">Event</HeadCell>
              <HeadCell class="w-host">Sensor</HeadCell>
              <HeadCell class="grow mid-only">Task</HeadCell>
            </>
          }
        >
          {({ name, activity: { routing, event } }) => {
            const [state, word] = EVENTS[name] ?? ['', name];
            return (
              <>
                <Cell class="w-age">
                  <Ago at={routing.event_time} />
                </Cell>
                <Cell class="w-state">
                  <span class={`state ${state}`}>
                    <i aria-hidden="true" />
                    {word}
                  </span>
                </Cell>
                <Cell class="w-host ellipsis mono">
                  {event.sid ? <a href={`#/sensors/${encodeURIComponent(event.sid)}`}>{event.sid}</a> : ''}
                </Cell>
                <Cell class="grow mid-only ellipsis mono">
                  {event.task_id ? (
                    <a href={`#/tasks/${encodeURIComponent(event.task_id)}`} title={event.task_id}>
                      <Code text={event.task ?? (commands.get(event.task_id) || event.task_id)} />
                    </a>
                  ) : null}
                </Cell>
              </>
            );
          }}
        </VirtualTable>
      )}
    </>
  );
}
