/**
 * A narrowed UNTASK: its selector is resolved once, against the sensors as they are known when it is applied, and what it
 * withdrew is told pair by pair. A replay takes those TASK_REMOVED; it does not ask again.
 *
 * Cut off by a crash it is resolved again, and a sensor that it had reached may have stopped to match by then. So what is
 * told are not the sensors that matched, but the pairs that carry its offset.
 *
 * Sensors are those that Redis has. After a loss it has none of a partition, or what an older state of Redis had, until the
 * joiner has caught up and uploaded them: these come from `sensor-state`, which is written before rows are.
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

/** Withdraws the pairs and answers their events; a refusal when the epoch is over. */
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
  // A sensor that is named need not be known: it may connect later, and must not get the task then.
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

/** The topic is compacted, but not at once: of several records of a sensor the last one counts. */
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
