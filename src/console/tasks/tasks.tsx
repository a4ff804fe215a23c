/** The pending or the ended tasks of the org, with search, order and progress. */
import { useEffect, useMemo } from 'preact/hooks';
import { gaps, onActivity } from '../api/stream.ts';
import type { Task } from '../api/types.ts';
import { count, shown } from '../format.ts';
import { refine, route } from '../router.ts';
import { current } from '../session.ts';
import { Ago, Code, Empty, Fault, Head } from '../ui/bits.tsx';
import { ProgressBar, ProgressText, StateDot } from '../ui/progress.tsx';
import { TimeLeft } from '../ui/time-left.tsx';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { createProgress, type Progress } from './progress-store.ts';
import { ORDERS, shownTasks } from './task-list.ts';
import { type Listing, useTasks } from './use-tasks.ts';

const LISTINGS: readonly [Listing, string, string][] = [
  ['pending', 'Pending', ''],
  ['ended', 'Ended', 'ended'],
];
const ROW_PX = 56;

export function TasksPage() {
  const { oid } = current();
  const { query } = route.value;
  const listing: Listing = query.get('state') === 'ended' ? 'ended' : 'pending';
  const order = query.get('order') ?? 'newest';
  const text = query.get('q') ?? '';
  const { tasks, fault, isWhole, again } = useTasks(oid, listing);
  const progress = useMemo(() => createProgress(oid), [oid, gaps.value]);
  useEffect(
    () =>
      onActivity((_, { event }) => {
        progress.touch(event.task_id);
      }),
    [progress],
  );
  // After the page is closed, nothing more is requested.
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
        {/* biome-ignore lint/a11y/useSemanticElements: the layout of a fieldset differs */}
        <div class="tabs" role="group" aria-label="Tasks to list">
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
          placeholder="Search command line, selector, context …  ( / )"
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
          label={listing === 'pending' ? 'Pending tasks' : 'Ended tasks'}
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
  if (isFiltered) return <Empty title="No task matches the search" />;
  if (listing === 'ended') return <Empty title="No ended tasks" />;
  return (
    <Empty title="No pending tasks">
      <p>Queue a task: offline sensors get it when they connect.</p>
      <a class="button primary" href="#/new">
        New task
      </a>
    </Empty>
  );
}

function TaskHead({ listing }: { listing: Listing }) {
  return (
    <>
      <HeadCell class="grow">Command line and sensors</HeadCell>
      <HeadCell class="w-context wide-only">Context</HeadCell>
      <HeadCell class="w-by wide-only">Issued by</HeadCell>
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
