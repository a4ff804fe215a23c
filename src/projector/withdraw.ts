/**
 * A narrow UNTASK: its selector is resolved once, against the sensors as they are known when it is applied. Each delivery that it
 * withdraws gets a TASK_REMOVED. A replay applies these events, and does not resolve the selector again.
 *
 * After a crash the selector is resolved again, and a sensor that was reached may not match any more. So the events are not those of
 * the sensors that match, but those of the deliveries that carry the offset of the UNTASK.
 *
 * The sensors are those that Redis has. After a loss, Redis has no sensors of a partition, or old ones, until the joiner has caught
 * up and written them. The sensors of such partitions come from `sensor-state`, which is written before rows are.
 */
import { pagesOf } from '../async/pages.ts';
import { fromState, type SensorView } from '../model/sensor.ts';
import type { EpochEvent, RolePorts } from '../ports.ts';
import { compileSelector } from '../selector/evaluate/compile.ts';
import { parseSelector } from '../selector/language/parse.ts';
import { sidOf } from '../selector/language/targets.ts';
import type { Predicate } from '../selector/predicate.ts';
import { recordOf } from '../selector/sensor/sensor-record.ts';
import { Slices } from '../selector/slices.ts';
import { removedEvent, type Step } from './project.ts';
import type { Answer } from './projection.ts';
import { readStates } from './sensor-states.ts';

const SIDS_PER_SCRIPT = 500;

type Ports = Pick<RolePorts, 'projection' | 'inbox' | 'recordCodec' | 'clock'>;

/** Withdraws the deliveries and returns their events, or a refusal when the epoch is over. */
export async function withdraw(
  ports: Ports,
  step: Step,
  epoch: string,
  presencePartitions: number,
): Promise<Answer<{ events: EpochEvent[] }>> {
  const { projection } = ports;
  const { command, record } = step;
  const { oid, task_id: taskId } = command;
  const [task] = await projection.readTasks(oid, [taskId]);
  const sids =
    task?.state === 'pending'
      ? await matching(ports, oid, [task.command.selector, command.untask_selector], presencePartitions)
      : [];
  for (let from = 0; from === 0 || from < sids.length; from += SIDS_PER_SCRIPT) {
    const answer = await projection.narrow({
      oid,
      epoch,
      partition: record.partition,
      offset: record.offset,
      taskId,
      sids: sids.slice(from, from + SIDS_PER_SCRIPT),
      atMs: record.timestampMs,
    });
    if (!answer.ok) return answer;
  }
  const events: EpochEvent[] = [];
  for (const [sid, { state, reason }] of await projection.readDeliveries(oid, taskId)) {
    if (state !== 'removed' || reason !== String(record.offset)) continue;
    events.push({ epoch, event: removedEvent(command, record.timestampMs, sid, task?.expiresAtMs) });
  }
  return { ok: true, events };
}

async function matching(
  ports: Ports,
  oid: string,
  selectors: (string | null)[],
  presencePartitions: number,
): Promise<string[]> {
  const trees = selectors.map(parseSelector);
  const predicates = trees.map((tree) => compileSelector(tree));
  const slices = new Slices(() => ports.clock.delay(0));
  const [status] = await ports.projection.status([oid]);
  const all = Array.from({ length: presencePartitions }, (_, partition) => partition);
  const missing = new Set(all.filter((partition) => !status?.livePartitions.has(partition)));
  const sids = new Set<string>();
  for (const partition of all)
    if (!missing.has(partition)) await fromRows(ports, oid, partition, predicates, sids, slices);
  if (missing.size > 0) await fromStates(ports, oid, missing, predicates, sids, slices);
  // A selector can name a sensor that is not known yet. It must not get the task when it connects later.
  for (const sid of trees.map(sidOf)) {
    if (sid !== undefined && predicates.every((predicate) => predicate({ oid, sid }) === true)) sids.add(sid);
  }
  return [...sids];
}

async function fromRows(
  { projection, recordCodec, clock }: Ports,
  oid: string,
  partition: number,
  predicates: Predicate[],
  sids: Set<string>,
  slices: Slices,
): Promise<void> {
  for await (const page of pagesOf((cursor) => projection.scanSensors(oid, partition, cursor)))
    for (const { sid, facts, presence } of page.sensors) {
      if (!facts) continue;
      if (slices.isOver) await slices.pause();
      const view = fromState(recordCodec.decode('SensorState', facts));
      view.aliveAtMs = presence?.aliveAtMs ?? view.aliveAtMs;
      if (matches(view, clock.nowMs(), predicates)) sids.add(sid);
    }
}

/** The last record of a sensor counts: the topic is compacted later. */
async function fromStates(
  { inbox, clock }: Ports,
  oid: string,
  partitions: Set<number>,
  predicates: Predicate[],
  sids: Set<string>,
  slices: Slices,
): Promise<void> {
  const prefix = `${oid}/`;
  await inbox.readAll('sensorState', async (records) => {
    const ours = records.filter(
      ({ partition, key }) => partitions.has(partition) && key?.toString().startsWith(prefix),
    );
    for (const { record, state } of await readStates(inbox, ours)) {
      if (slices.isOver) await slices.pause();
      const sid = String(record.key).slice(prefix.length);
      if (state !== null && matches(fromState(state), clock.nowMs(), predicates)) sids.add(sid);
      else sids.delete(sid);
    }
  });
}

const matches = (view: SensorView, nowMs: number, predicates: Predicate[]): boolean => {
  const record = recordOf(view, nowMs);
  return predicates.every((predicate) => predicate(record) === true);
};
