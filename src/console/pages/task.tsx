/** One task: what it is, how far it is, and where each of its sensors stands and why. */
import { useEffect, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import { onActivity } from '../api/stream.ts';
import type { PairRow, PairState, TaskDetail, Why } from '../api/types.ts';
import { count, plural, when } from '../format.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Ago, Fault, Head, Legend, ProgressBar, STATES, StateDot } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { Export } from './export.tsx';
import { Responses } from './responses.tsx';
import { TimeLeft } from './tasks.tsx';

const PAGE = 500;
const ROW_PX = 44;
const FRESH_MS = 1_000;

function useDetail(oid: string, taskId: string) {
  const [sensors, setSensors] = useState<readonly PairRow[]>([]);
  const [cursor, setCursor] = useState<string | undefined>();
  const first = useLoaded(
    (stopped) => action<TaskDetail>(oid, 'get', { task_id: taskId, limit: PAGE }, stopped),
    [oid, taskId],
  );
  useEffect(() => {
    if (!first.value) return;
    const fresh = first.value.sensors;
    const lastSid = fresh.at(-1)?.sid ?? '';
    // Pages that were read further down stay; the first is as it is now.
    setSensors((was) => [...fresh, ...(first.value?.next_cursor ? was.filter(({ sid }) => sid > lastSid) : [])]);
    setCursor((was) => (was === undefined || !first.value?.next_cursor ? first.value?.next_cursor : was));
  }, [first.value]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onActivity((_, { event }) => {
      if (event.task_id !== taskId || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        first.again();
      }, FRESH_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [taskId]);
  const more = async () => {
    if (cursor === undefined) return;
    const page = await action<TaskDetail>(oid, 'get', { task_id: taskId, limit: PAGE, cursor });
    setSensors((was) => [...was, ...page.sensors]);
    setCursor(page.next_cursor);
  };
  return { ...first, sensors, more };
}

export function TaskPage({ taskId }: { taskId: string }) {
  const { oid } = current();
  const { value: task, fault, again, sensors, more } = useDetail(oid, taskId);
  const [removing, setRemoving] = useState(false);
  const [shown, setShown] = useState<PairState | null>(null);
  const [asked, setAsked] = useState<string | null>(null);
  if (!task) return fault ? <Fault text={fault} again={again} /> : <p class="loading">Loading …</p>;
  const askedRow = sensors.find(({ sid }) => sid === asked);
  const rows = shown === null ? sensors : sensors.filter(({ state }) => state === shown);
  return (
    <>
      <Head title={task.task}>
        <Export oid={oid} taskId={taskId} />
        {task.state === 'pending' ? (
          <button type="button" class="danger" onClick={() => setRemoving(true)}>
            Untask …
          </button>
        ) : null}
      </Head>
      <Facts task={task} />
      <section class="card" aria-label="Progress">
        <ProgressBar counts={task.counts} />
        <Legend counts={task.counts} />
      </section>
      <div class="toolbar">
        <select
          aria-label="Which sensors"
          value={shown ?? ''}
          onChange={({ currentTarget }) => setShown((currentTarget.value || null) as PairState | null)}
        >
          <option value="">All sensors</option>
          {STATES.map(([state]) => (
            <option key={state} value={state}>
              {state} ({count(task.counts[state])})
            </option>
          ))}
        </select>
        <span class="hint">Choose a sensor to see what it answered, and why it has, or has not, run this.</span>
      </div>
      <VirtualTable
        rows={rows}
        keyOf={(row) => row.sid}
        rowHeight={ROW_PX}
        label="Sensors of this task"
        onEnd={() => void more()}
        head={
          <>
            <HeadCell class="w-host">Sensor</HeadCell>
            <HeadCell class="w-state">State</HeadCell>
            <HeadCell class="w-attempt wide-only">Attempts</HeadCell>
            <HeadCell class="w-attempt wide-only">Answers</HeadCell>
            <HeadCell class="w-age">Since</HeadCell>
            <HeadCell class="grow wide-only">Reason</HeadCell>
          </>
        }
      >
        {(row) => (
          <>
            <Cell class="w-host ellipsis">
              <button type="button" class="link" onClick={() => setAsked(row.sid)}>
                {row.hostname || row.sid}
              </button>
            </Cell>
            <Cell class="w-state">
              <StateDot state={row.state} />
            </Cell>
            <Cell class="w-attempt wide-only">{row.attempt || ''}</Cell>
            <Cell class="w-attempt wide-only">{row.response_count || ''}</Cell>
            <Cell class="w-age">
              <Ago at={row.at} />
            </Cell>
            <Cell class="grow wide-only ellipsis">{row.reason}</Cell>
          </>
        )}
      </VirtualTable>
      {removing ? <Untask task={task} onClose={() => setRemoving(false)} onDone={again} /> : null}
      {askedRow ? <SensorPanel taskId={taskId} row={askedRow} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

function Facts({ task }: { task: TaskDetail }) {
  const ended = { pending: null, expired: 'Expired', removed: 'Removed' }[task.state];
  return (
    <dl class="facts">
      <div>
        <dt>Sensors</dt>
        <dd class="mono">{task.sensor_selector === '*' ? 'all sensors' : task.sensor_selector}</dd>
      </div>
      <div>
        <dt>Queued</dt>
        <dd>
          <Ago at={task.created_at} />
          {task.issued_by ? ` by ${task.issued_by}` : ''}
        </dd>
      </div>
      <div>
        <dt>{ended ?? 'Until'}</dt>
        <dd>{ended ? when(task.ended_at ?? task.expires_at) : <TimeLeft task={task} />}</dd>
      </div>
      {task.context ? (
        <div>
          <dt>Context</dt>
          <dd class="mono">{task.context}</dd>
        </div>
      ) : null}
      <div>
        <dt>Task id</dt>
        <dd class="mono">{task.task_id}</dd>
      </div>
    </dl>
  );
}

type UntaskProps = { task: TaskDetail; onClose(): void; onDone(): void };

function Untask({ task, onClose, onDone }: UntaskProps) {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { queued, sent, done, failed } = task.counts;
  const remove = async () => {
    setBusy(true);
    try {
      await action(current().oid, 'untask', { task_id: task.task_id });
      onDone();
      onClose();
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Remove this task?" onClose={onClose}>
      <p>
        It stops for <b>{plural(queued, 'sensor')}</b> that still wait, and nothing is sent again to{' '}
        <b>{plural(sent, 'sensor')}</b> that have been sent it without an answer so far.
      </p>
      <p>
        It can’t be recalled from where it has arrived: {plural(done + failed, 'sensor has', 'sensors have')} run it,
        and those that were sent it may still run it.
      </p>
      <Fault text={fault} />
      <footer>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={busy} onClick={remove}>
          {busy ? 'Removing …' : 'Remove the task'}
        </button>
      </footer>
    </Dialog>
  );
}

function SensorPanel({ taskId, row, onClose }: { taskId: string; row: PairRow; onClose(): void }) {
  const why = useLoaded(
    (stopped) => action<Why>(current().oid, 'why', { task_id: taskId, sid: row.sid }, stopped),
    [taskId, row.sid, row.state],
  );
  return (
    <Dialog side title={row.hostname || row.sid} onClose={onClose}>
      <p>
        <StateDot state={why.value?.state ?? row.state} />
      </p>
      <p class="why">{why.value?.sentence ?? row.reason}</p>
      <Fault text={why.fault} again={why.again} />
      <dl class="facts">
        <div>
          <dt>Attempts</dt>
          <dd>{row.attempt}</dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>{when(why.value?.at ?? row.at)}</dd>
        </div>
        <div>
          <dt>Sensor id</dt>
          <dd class="mono">{row.sid}</dd>
        </div>
      </dl>
      <Responses oid={current().oid} taskId={taskId} sid={row.sid} received={row.response_count} />
      <a class="button" href={`#/sensors/${encodeURIComponent(row.sid)}`}>
        Show this sensor
      </a>
    </Dialog>
  );
}
