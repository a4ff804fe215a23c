/** One task: its fields, its progress, and the state and reason of each delivery. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { DeliveryRow, DeliveryState } from '../api/types.ts';
import { count, plural, shown } from '../format.ts';
import { current } from '../session.ts';
import { Ago, Empty, Fault, Head, Pending } from '../ui/bits.tsx';
import { Legend, ProgressBar, StateDot, totalOf } from '../ui/progress.tsx';
import { DELIVERY_STATES, labelOf } from '../ui/states.ts';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';
import { DeliveryPanel } from './delivery-panel.tsx';
import { Export } from './export.tsx';
import { TaskFacts } from './task-facts.tsx';
import { useTask } from './use-task.ts';
import { WhyNot } from './why-not.tsx';
import { Withdraw } from './withdraw.tsx';

const ROW_PX = 44;
/** This many rows fill the page. */
const ENOUGH = 100;

export function TaskPage({ taskId }: { taskId: string }) {
  const { oid } = current();
  const [state, setState] = useState<DeliveryState | null>(null);
  const [text, setText] = useState('');
  const isNarrowed = state !== null || text.trim() !== '';
  const { value: task, fault, again, sensors, cursor, more } = useTask(oid, taskId, isNarrowed);
  const [withdrawing, setWithdrawing] = useState(false);
  const [asked, setAsked] = useState<string | null>(null);
  const rows = useMemo(() => chosen(sensors, state, text), [sensors, state, text]);
  useEffect(() => {
    if (isNarrowed && rows.length < ENOUGH) void more();
  }, [isNarrowed, rows.length, cursor]);
  if (!task) return <Pending title="Task" fault={fault} again={again} />;
  const askedRow = sensors.find(({ sid }) => sid === asked);
  return (
    <>
      <Head title={task.task}>
        <Export oid={oid} taskId={taskId} />
        {task.state === 'pending' ? (
          <button type="button" class="danger" onClick={() => setWithdrawing(true)}>
            Withdraw …
          </button>
        ) : null}
      </Head>
      <Fault text={fault} again={again} />
      <TaskFacts task={task} />
      <section class="card" aria-label="Progress">
        <ProgressBar counts={task.counts} />
        <Legend counts={task.counts} />
      </section>
      {sensors.length === 0 ? (
        <NoSensors isPending={task.state === 'pending'} />
      ) : (
        <>
          <div class="toolbar">
            <input
              type="search"
              data-search
              aria-label="Search sensors"
              placeholder="Hostname or sensor id  ( / )"
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
            <select
              aria-label="State"
              value={state ?? ''}
              onChange={({ currentTarget }) =>
                setState(DELIVERY_STATES.find((name) => name === currentTarget.value) ?? null)
              }
            >
              <option value="">All states</option>
              {DELIVERY_STATES.map((name) => (
                <option key={name} value={name}>
                  {labelOf(name)} ({count(task.counts[name])})
                </option>
              ))}
            </select>
            <span class="total" role="status">
              {isNarrowed && cursor !== undefined ? 'at least ' : ''}
              {plural(isNarrowed ? rows.length : totalOf(task.counts), 'sensor')}
            </span>
          </div>
          {rows.length === 0 && text.trim() !== '' && cursor === undefined ? (
            <WhyNot taskId={taskId} text={text} />
          ) : (
            <Sensors rows={rows} of={`${state} ${text}`} onEnd={() => void more()} onAsk={setAsked} />
          )}
        </>
      )}
      {withdrawing ? <Withdraw task={task} onClose={() => setWithdrawing(false)} onDone={again} /> : null}
      {askedRow ? <DeliveryPanel taskId={taskId} row={askedRow} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

function chosen(sensors: readonly DeliveryRow[], state: DeliveryState | null, text: string): readonly DeliveryRow[] {
  const wanted = text.trim().toLowerCase();
  return sensors.filter(
    (row) =>
      (state === null || row.state === state) &&
      (wanted === '' || row.hostname.toLowerCase().includes(wanted) || row.sid.toLowerCase().includes(wanted)),
  );
}

function NoSensors({ isPending }: { isPending: boolean }) {
  if (!isPending) return <Empty title="No sensor matched" />;
  return (
    <Empty title="No sensor matches yet">
      <p>Sensors that match later get the task, until it expires.</p>
    </Empty>
  );
}

type SensorsProps = { rows: readonly DeliveryRow[]; of: string; onEnd(): void; onAsk(sid: string): void };

function Sensors({ rows, of, onEnd, onAsk }: SensorsProps) {
  return (
    <VirtualTable
      rows={rows}
      keyOf={(row) => row.sid}
      rowHeight={ROW_PX}
      label="Sensors of this task"
      of={of}
      onEnd={onEnd}
      head={
        <>
          <HeadCell class="w-host">Sensor</HeadCell>
          <HeadCell class="w-state">State</HeadCell>
          <HeadCell class="w-attempt wide-only">Attempts</HeadCell>
          <HeadCell class="w-attempt wide-only">Responses</HeadCell>
          <HeadCell class="w-age">Since</HeadCell>
          <HeadCell class="grow mid-only">Reason</HeadCell>
        </>
      }
    >
      {(row) => (
        <>
          <Cell class="w-host ellipsis">
            <button type="button" class="link" title="Show reason and responses" onClick={() => onAsk(row.sid)}>
              <bdi>{shown(row.hostname || row.sid)}</bdi>
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
          <Cell class="grow mid-only ellipsis" title={row.reason}>
            {row.reason}
          </Cell>
        </>
      )}
    </VirtualTable>
  );
}
