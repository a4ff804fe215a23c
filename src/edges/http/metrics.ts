/** The metrics of /metrics, beside those of HTTP and of the process. */
import client from 'prom-client';
import type { Metrics } from '../../ports.ts';
import { TOPICS } from '../../topics.ts';

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const counter = (name: string, help: string, labelNames: string[] = []) =>
  new client.Counter({ name, help, labelNames });
const gauge = (name: string, help: string, labelNames: string[] = []) => new client.Gauge({ name, help, labelNames });
const histogram = (name: string, help: string, labelNames: string[] = []) =>
  new client.Histogram({ name, help, labelNames, buckets: LATENCY_SECONDS });

const lag = gauge('rt_lag_records', 'Records on the log that this process has not handled yet.', [
  'topic',
  'partition',
]);
const pending = gauge('rt_pending_tasks', 'Pending tasks that this joiner holds, of all orgs.');
const dispatches = counter('rt_dispatches_total', 'Dispatches written, redeliveries included.');
const redeliveries = counter('rt_redeliveries_total', 'Dispatches that were not the first attempt.');
const acks = counter('rt_acks_total', 'Deliveries settled by a receipt of the sensor.', ['state']);
const expired = counter('rt_tasks_expired_total', 'Tasks whose TASK_EXPIRED this process has announced.');
const deadLetters = counter('rt_dead_letters_total', 'Records written to the dead letter topic.', ['code']);
const tagsPassedOver = counter('rt_tags_passed_over_total', 'Tags for which a sensor had no room: it takes 1,000.');
const dispatchSeconds = histogram(
  'rt_dispatch_seconds',
  'From the later of task and connect to the dispatch on the log.',
);
const batchSeconds = histogram('rt_batch_seconds', 'Time to handle one batch of records.', ['stage']);

export const metrics: Metrics = {
  lag: (topic, partition, records) => {
    const labels = { topic: TOPICS[topic].name, partition: String(partition) };
    if (records === null) lag.remove(labels);
    else lag.set(labels, records);
  },
  pendingTasks: (count) => pending.set(count),
  expired: (count) => expired.inc(count),
  dispatched: (count, again) => {
    dispatches.inc(count);
    redeliveries.inc(again);
  },
  acked: (state, count) => acks.inc({ state }, count),
  deadLettered: (code) => deadLetters.inc({ code }),
  tagsPassedOver: (count) => tagsPassedOver.inc(count),
  dispatchLatency: (ms) => dispatchSeconds.observe(Math.max(ms, 0) / 1000),
  batchLatency: (stage, ms) => batchSeconds.observe({ stage }, ms / 1000),
};
