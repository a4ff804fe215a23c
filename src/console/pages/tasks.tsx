/** The tasks of the org, those that wait and those that have ended, with filter, order and progress. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { onActivity } from '../api/stream.ts';
import type { Task } from '../api/types.ts';
import { count, span } from '../format.ts';
import { current } from '../session.ts';
import { Ago, Empty, Fault, Head, ProgressBar } from '../ui/bits.tsx';
import { now } from '../ui/clock.ts';
import { createProgress } from '../ui/progress-store.ts';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { ORDERS, shownTasks } from './task-list.ts';
import { type Listing, useTasks } from './use-tasks.ts';

const ROW_PX = 56;

export function TasksPage() {
  const { oid } = current();
  const [listing, setListing] = useState<Listing>('pending');
  const [text, setText] = useState('');
  const [order, setOrder] = useState('newest');
  const { tasks, fault, isWhole, again } = useTasks(oid, listing);
  const progress = useMemo(() => createProgress(oid), [oid]);
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
        <div class="tabs" role="tablist" aria-label="Which tasks">
          {(['pending', 'ended'] as const).map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={listing === name}
              onClick={() => setListing(name)}
            >
              {name === 'pending' ? 'Active' : 'Ended'}
            </button>
          ))}
        </div>
        <input
          type="search"
          data-search
          aria-label="Search tasks"
          placeholder="Search command, selector, context …  ( / )"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <select aria-label="Order" value={order} onChange={({ currentTarget }) => setOrder(currentTarget.value)}>
          {Object.entries(ORDERS).map(([key, { title }]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
        <span class="total" role="status">
          {count(rows.length)}
          {isWhole ? '' : '+'} {rows.length === 1 ? 'task' : 'tasks'}
        </span>
      </div>
      <Fault text={fault} again={again} />
      {rows.length === 0 && isWhole ? (
        <NoTasks isFiltered={text !== ''} listing={listing} />
      ) : (
        <VirtualTable
          rows={rows}
          keyOf={(task) => task.task_id}
          rowHeight={ROW_PX}
          label={listing === 'pending' ? 'Active tasks' : 'Ended tasks'}
          head={<TaskHead listing={listing} />}
          onView={(shown) => progress.inView(shown.map((task) => task.task_id))}
        >
          {(task) => <TaskRow task={task} listing={listing} counts={progress.counts.value.get(task.task_id)} />}
        </VirtualTable>
      )}
    </>
  );
}

function NoTasks({ isFiltered, listing }: { isFiltered: boolean; listing: Listing }) {
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

type RowProps = { task: Task; listing: Listing; counts: Parameters<typeof ProgressBar>[0]['counts'] };

function TaskRow({ task, listing, counts }: RowProps) {
  return (
    <>
      <Cell class="grow two-lines">
        <a href={`#/tasks/${encodeURIComponent(task.task_id)}`} class="command">
          {task.task}
        </a>
        <span class="sub mono">{task.sensor_selector === '*' ? 'all sensors' : task.sensor_selector}</span>
      </Cell>
      <Cell class="w-context wide-only ellipsis">{task.context ?? ''}</Cell>
      <Cell class="w-by wide-only ellipsis">{task.issued_by}</Cell>
      <Cell class="w-age">
        <Ago at={task.created_at} />
      </Cell>
      <Cell class="w-left">
        {listing === 'pending' ? <TimeLeft task={task} /> : <Ago at={Math.min(task.expires_at, now.value)} />}
      </Cell>
      <Cell class="w-progress">
        <ProgressBar counts={counts} />
      </Cell>
    </>
  );
}

export function TimeLeft({ task }: { task: Pick<Task, 'expires_at' | 'created_at'> }) {
  const left = task.expires_at - now.value;
  const share = Math.min(1, Math.max(0, left / Math.max(1, task.expires_at - task.created_at)));
  const text = left > 0 ? `${span(left)} left` : 'over';
  return (
    <span class="left">
      <span class={`left-bar ${share < 0.1 ? 'low' : ''}`} aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
      </span>
      {text}
    </span>
  );
}
