/** The org at a glance: sensors online, events per minute, delivery latency, and the age of pending tasks. The charts are loaded
 *  when this page is opened. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Stats } from '../api/types.ts';
import { count, span } from '../format.ts';
import { current } from '../session.ts';
import { useLoaded } from '../ui/async.ts';
import { Empty, Fault, Head, Pending } from '../ui/bits.tsx';
import type { Series } from './charts.ts';

const REFRESH_MS = 30_000;
/** A chart leaves out the minutes before the first known value, but never shows fewer minutes than this. */
const MINUTES_MIN = 60;

/** Leaves out the minutes before the first known value. */
function sinceFirst(stats: Stats): Stats {
  const isKnown = (_: number, i: number) =>
    stats.online[i] !== null || [stats.queued, stats.sent, stats.done, stats.failed].some((values) => values[i] !== 0);
  const known = stats.minutes.findIndex(isKnown);
  const from = Math.max(
    0,
    Math.min(known < 0 ? Number.POSITIVE_INFINITY : known - 5, stats.minutes.length - MINUTES_MIN),
  );
  const { backlog, ...series } = stats;
  const cut = Object.entries(series).map(([name, values]) => [name, values.slice(from)]);
  return { ...Object.fromEntries(cut), backlog } as Stats;
}

export function OverviewPage() {
  const { oid } = current();
  const loaded = useLoaded((signal) => call<Stats>(`/v1/orgs/${oid}/stats`, { signal }), [oid]);
  const { fault, again } = loaded;
  const value = useMemo(() => loaded.value && sinceFirst(loaded.value), [loaded.value]);
  useEffect(() => {
    const timer = setInterval(again, REFRESH_MS);
    return () => clearInterval(timer);
  }, [oid]);
  if (!value) return <Pending title="Overview" fault={fault} again={again} />;
  const pending = value.backlog.reduce((sum, { tasks }) => sum + tasks, 0);
  const last = (values: (number | null)[]) => values.findLast((one) => one !== null) ?? null;
  const total = (values: number[]) => values.reduce((sum, one) => sum + one, 0);
  return (
    <>
      <Head title="Overview" />
      <Fault text={fault} />
      <ul class="figures">
        <Figure name="Sensors online" text={numberOr(last(value.online))} />
        <Figure name="Pending tasks" text={count(pending)} />
        <Figure name="Sent in 24 h" text={count(total(value.sent))} />
        <Figure name="Acknowledged in 24 h" text={count(total(value.done) + total(value.failed))} />
        <Figure name="Latency, median now" text={msOr(last(value.latency_p50))} />
      </ul>
      <div class="charts">
        <Chart
          title="Sensors online"
          minutes={value.minutes}
          series={[{ name: 'online', colour: 'done', values: value.online }]}
        />
        <Chart
          title="Events per minute"
          minutes={value.minutes}
          series={[
            { name: 'queued', colour: 'queued', values: value.queued },
            { name: 'sent', colour: 'sent', values: value.sent },
            { name: 'done', colour: 'done', values: value.done },
            { name: 'failed', colour: 'failed', values: value.failed },
          ]}
        />
        <Chart
          title="Delivery latency"
          unit="ms"
          minutes={value.minutes}
          series={[
            { name: 'p50', colour: 'sent', values: value.latency_p50 },
            { name: 'p99', colour: 'failed', values: value.latency_p99 },
          ]}
        />
        <Backlog backlog={value.backlog} />
      </div>
    </>
  );
}

const numberOr = (value: number | null): string => (value === null ? '–' : count(value));
const msOr = (value: number | null): string => {
  if (value === null) return '–';
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
};

function Figure({ name, text }: { name: string; text: string }) {
  return (
    <li class="card">
      <span class="sub">{name}</span>
      <b>{text}</b>
    </li>
  );
}

type ChartProps = { title: string; minutes: number[]; series: Series[]; unit?: string };

function Chart({ title, minutes, series, unit = '' }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let remove: (() => void) | undefined;
    let isGone = false;
    void import('./charts.ts').then(({ draw }) => {
      if (!isGone && box.current) remove = draw(box.current, minutes, series, unit);
    });
    return () => {
      isGone = true;
      remove?.();
    };
  }, [minutes, series, unit]);
  const summary = series
    .map(({ name, values }) => `${name} ${numberOr(values.findLast((one) => one !== null) ?? null)}`)
    .join(', ');
  return (
    <section class="card chart" aria-label={title}>
      <h2>{title}</h2>
      <div ref={box} class="plot" role="img" aria-label={`${title}, last 24 hours; latest: ${summary} ${unit}`} />
    </section>
  );
}

function Backlog({ backlog }: { backlog: Stats['backlog'] }) {
  const most = Math.max(1, ...backlog.map(({ tasks }) => tasks));
  if (backlog.every(({ tasks }) => tasks === 0))
    return (
      <section class="card chart" aria-label="Backlog by age">
        <h2>Backlog by age</h2>
        <Empty title="No pending tasks" />
      </section>
    );
  return (
    <section class="card chart" aria-label="Backlog by age">
      <h2>Backlog by age</h2>
      <table class="backlog">
        <tbody>
          {backlog.map(({ up_to_seconds: upTo, tasks }) => (
            <tr key={upTo ?? 'older'}>
              <th scope="row">{upTo === null ? 'older' : `up to ${span(upTo * 1000)}`}</th>
              <td class="fill">
                <i style={{ width: `${(tasks / most) * 100}%` }} />
              </td>
              <td class="number">{count(tasks)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
