/** The tasks of the org, those that wait and those that have ended, with filter, order and progress. */
import { useEffect, useMemo } from 'preact/hooks';
import { missed, onActivity } from '../api/stream.ts';
import type { Task } from '../api/types.ts';
import { count, shown } from '../format.ts';
import { place, refine } from '../router.ts';
import { current } from '../session.ts';
import { Ago, Code, Empty, Fault, Head } from '../ui/bits.tsx';
import { ProgressBar, ProgressText, StateDot } from '../ui/progress.tsx';
import { TimeLeft } from '../ui/time-left.tsx';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { createProgress, type Progress } from './progress-store.ts';
import { ORDERS, shownTasks } from './task-list.ts';
import { type Listing, useTasks } from './use-tasks.ts';

const LISTINGS: readonly [Listing, string, string][] = [
  ['pending', 'Active', ''],
  ['ended', 'Ended', 'ended'],
];
const ROW_PX = 56;

export function TasksPage() {
  const { oid } = current();
  const { query } = place.value;
  const listing: Listing = query.get('state') === 'ended' ? 'ended' : 'pending';
  const order = query.get('order') ?? 'newest';
  const text = query.get('q') ?? '';
  const { tasks, fault, isWhole, again } = useTasks(oid, listing);
  const progress = useMemo(() => createProgress(oid), [oid, missed.value]);
  useEffect(
    () =>
      onActivity((_, { event }) => {
        progress.touch(event.task_id);
      }),
    [progress],
  );
  // Nothing is asked for a page that is gone.
  useEffect(() => () => progress.inView([]), [progress]);
  const rows = useMemo(() => shownTasks(tasks, text, order), [tasks, text, order]);
  return (
    <>
      <Head title="Reliable Tasking">
        <a class="button primary" href="#/new">
          New task <kbd>n</kbd>
        </a>
      </Head>
      <div class="toolbar">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be laid out in its own way */}
        <div class="tabs" role="group" aria-label="Which tasks">
          {LISTINGS.map(([name, title, state]) => (
            <button key={name} type="button" aria-pressed={listing === name} onClick={() => refine({ state })}>
              {title}
            </button>
          ))}
        </div>
        <input
          type="search"
          data-search
          aria-label="Search tasks"
          placeholder="Search command, selector, context …  ( / )"
          value={text}
          onInput={({ currentTarget }) => refine({ q: currentTarget.value })}
        />
        <select
          aria-label="Order"
          value={order}
          onChange={({ currentTarget }) => refine({ order: currentTarget.value })}
        >
          {Object.entries(ORDERS).map(([key, { title }]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
        <span class="total" role="status">
          {tasks.length === 0 && !isWhole
            ? ''
            : `${count(rows.length)}${isWhole ? '' : '+'} ${rows.length === 1 ? 'task' : 'tasks'}`}
        </span>
      </div>
      <Fault text={fault} again={again} />
      {rows.length === 0 ? (
        <NoTasks isRead={isWhole} isFiltered={text !== ''} listing={listing} />
      ) : (
        <VirtualTable
          rows={rows}
          keyOf={(task) => task.task_id}
          rowHeight={ROW_PX}
          label={listing === 'pending' ? 'Active tasks' : 'Ended tasks'}
          of={`${listing} ${order} ${text}`}
          head={<TaskHead listing={listing} />}
          onView={(inView) => progress.inView(inView.map((task) => task.task_id))}
        >
          {(task) => <TaskRow task={task} listing={listing} progress={progress.known.value.get(task.task_id)} />}
        </VirtualTable>
      )}
    </>
  );
}

function NoTasks({ isRead, isFiltered, listing }: { isRead: boolean; isFiltered: boolean; listing: Listing }) {
  if (!isRead) return <p class="loading">Loading …</p>;
  if (isFiltered) return <Empty title="Nothing matches your search" />;
  if (listing === 'ended') return <Empty title="No task has ended lately" />;
  return (
    <Empty title="Nothing waits">
      <p>Queue a command: sensors that are offline get it when they come back.</p>
      <a class="button primary" href="#/new">
        New task
      </a>
    </Empty>
  );
}

function TaskHead({ listing }: { listing: Listing }) {
  return (
    <>
      <HeadCell class="grow">Command and sensors</HeadCell>
      <HeadCell class="w-context wide-only">Context</HeadCell>
      <HeadCell class="w-by wide-only">By</HeadCell>
      <HeadCell class="w-age">Age</HeadCell>
      <HeadCell class="w-left">{listing === 'pending' ? 'Time left' : 'Ended'}</HeadCell>
      <HeadCell class="w-progress">Progress</HeadCell>
    </>
  );
}

type RowProps = { task: Task; listing: Listing; progress: Progress | undefined };

function TaskRow({ task, listing, progress }: RowProps) {
  return (
    <>
      <Cell class="grow two-lines">
        <a href={`#/tasks/${encodeURIComponent(task.task_id)}`} class="command">
          <Code text={task.task} />
        </a>
        <span class="sub mono">
          <Code text={task.sensor_selector === '*' ? 'all sensors' : task.sensor_selector} />
        </span>
      </Cell>
      <Cell class="w-context wide-only ellipsis">
        <bdi>{shown(task.context ?? '')}</bdi>
      </Cell>
      <Cell class="w-by wide-only ellipsis">
        <bdi>{shown(task.issued_by)}</bdi>
      </Cell>
      <Cell class="w-age">
        <Ago at={task.created_at} />
      </Cell>
      <Cell class="w-left">{listing === 'pending' ? <TimeLeft task={task} /> : <HowEnded progress={progress} />}</Cell>
      <Cell class="w-progress">
        <ProgressBar counts={progress?.counts} />
        <ProgressText counts={progress?.counts} />
      </Cell>
    </>
  );
}

function HowEnded({ progress }: { progress: Progress | undefined }) {
  if (!progress) return null;
  return (
    <span class="left">
      <StateDot state={progress.state} />
      {progress.ended_at === undefined ? null : <Ago at={progress.ended_at} />}
    </span>
  );
}
