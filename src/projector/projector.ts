/**
 * The projector: consumer group on `task-commands` and `task-events`. It keeps the projection at the end of the log, brings
 * it back when it was lost, and sweeps tasks that have run out into TASK_EXPIRED.
 */
import { persist, retryDelayMs } from '../async/clock.ts';
import type { Batch, Role, RolePorts } from '../ports.ts';
import { applyCommands, GenerationOver } from './commands.ts';
import { applyEvents } from './events.ts';
import { TOPIC_OF } from './positions.ts';
import { expiredEvent } from './project.ts';
import { Rebuild } from './rebuild.ts';
import { startInspector } from './shared-topics.ts';

export const PROJECTOR_GROUP = 'reliable-tasking-projector';

const POLL_MS = 1_000;
const POLL_REBUILDING_MS = 100;
const ADVANCE_MS = 10_000;
/** While a rebuild runs, so that everybody can see how far it is. */
const ADVANCE_REBUILDING_MS = 500;
const SWEEP_MS = 250;
const SWEEP_LIMIT = 500;

export async function startProjector(ports: RolePorts): Promise<Role> {
  const { clock, config, inbox, log, orgs } = ports;
  const groupId = config.KAFKA_TOPIC_PREFIX + PROJECTOR_GROUP;
  const rebuild = new Rebuild(ports, groupId);
  const presencePartitions = (await inbox.ends('presence')).size;
  let complete = false;
  let stopping = false;
  let advancedAt = clock.monoMs();
  const warn = (what: string) => (error: unknown) => {
    if (!(error instanceof GenerationOver)) log.warn({ err: error }, what);
  };
  // Redis may be away for long: that is told when it begins, not at every try.
  let failures = 0;
  const lookFailed = (error: unknown) => {
    failures += 1;
    log[failures === 1 ? 'warn' : 'debug']({ err: error }, 'the projection cannot be looked at');
  };

  const onBatch = async (batch: Batch): Promise<boolean> => {
    const kind = batch.topic === 'commands' ? 'c' : 't';
    const started = clock.monoMs();
    const run = () =>
      kind === 'c' ? applyCommands(ports, rebuild, batch, presencePartitions) : applyEvents(ports, rebuild, batch);
    const done = await persist(clock, batch.alive, () => attempt(run), warn('a batch is tried again'));
    if (!done || !batch.alive()) return false;
    // A replay does not take back how far side effects were written.
    await rebuild.done(kind, batch.partition, batch.nextOffset, (nextOffset) =>
      group.commit(batch.topic, batch.partition, nextOffset),
    );
    ports.metrics.batchLatency(`projector ${batch.topic}`, clock.monoMs() - started);
    return true;
  };

  /** False: the places have moved, so the batch is left and read again from where it is wanted. */
  const attempt = async (run: () => Promise<void>): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (error) {
      if (!(error instanceof GenerationOver)) throw error;
      await rebuild.poll();
      return false;
    }
  };

  const group = await inbox.join({
    groupId,
    topics: [TOPIC_OF.c, TOPIC_OF.t],
    onAssigned: (partitions) => rebuild.assign(partitions),
    wanted: (topic, partition) => rebuild.wanted(topic === 'commands' ? 'c' : 't', partition),
    onBatch,
  });
  rebuild.group = group;
  const inspector = await startInspector(ports).catch(async (error) => {
    await group.stop(); // a start that failed is tried again, and must not meet its own member
    throw error;
  });

  const look = async (): Promise<void> => {
    try {
      complete = await rebuild.poll();
      failures = 0;
      if (clock.monoMs() - advancedAt >= (complete ? ADVANCE_MS : ADVANCE_REBUILDING_MS)) {
        await rebuild.advanceIdle();
        advancedAt = clock.monoMs();
      }
    } catch (error) {
      complete = false;
      lookFailed(error);
    }
    if (!complete && !stopping)
      await clock.delay(failures > 0 ? retryDelayMs(failures, clock.random()) : POLL_REBUILDING_MS);
    if (!complete && !stopping) poller.soon();
  };
  const poller = clock.every(POLL_MS, look);
  const stopListening = orgs.table.onChange(() => poller.soon());
  const sweeper = clock.every(SWEEP_MS, async () => {
    if (failures === 0) await sweep(ports, rebuild).catch(warn('the sweep is tried again'));
  });

  return {
    ready: () => {
      const fault = group.fault();
      if (fault) return { ready: false, detail: fault };
      if (failures > 0) return { ready: false, detail: 'the projection does not answer' };
      const ready = group.joined() && rebuild.positioned && complete;
      return {
        ready,
        detail: ready ? `partitions ${rebuild.partitions.join(' ') || 'none'}` : progressOf(rebuild, group.joined()),
      };
    },
    stop: async () => {
      stopping = true;
      stopListening();
      await Promise.all([poller.stop(), sweeper.stop()]);
      await rebuild.advanceIdle().catch(warn('offsets could not be written at the end'));
      await Promise.all([group.stop(), inspector.stop()]);
    },
  };
}

/** Ends what has run out: Redis gives each id to one process; the announcement repeats with the same event id. */
async function sweep({ projection, outbox, metrics }: RolePorts, rebuild: Rebuild): Promise<void> {
  const orgs = [...rebuild.positions.orgs()]
    .filter(([, org]) => org.usable)
    .map(([oid, { epoch }]) => ({ oid, epoch }));
  if (orgs.length === 0) return;
  const expired = await projection.due(orgs, SWEEP_LIMIT);
  if (expired.length === 0) return;
  const epochs = new Map(orgs.map(({ oid, epoch }) => [oid, epoch]));
  await outbox.taskEvents(
    expired.map(({ oid, taskId, expiresAtMs }) => ({
      event: expiredEvent(oid, taskId, expiresAtMs),
      epoch: epochs.get(oid) ?? '',
    })),
  );
  await projection.announced(expired);
  projection.hint([...new Set(expired.map(({ oid }) => oid))]);
  metrics.expired(expired.length);
}

function progressOf(rebuild: Rebuild, joined: boolean): string {
  if (!joined) return 'joining the group';
  const orgs = [...rebuild.positions.orgs()];
  const waiting = orgs.filter(([, org]) => !org.usable);
  if (rebuild.missed.away > 0) return `${rebuild.missed.away} orgs do not answer`;
  if (waiting.length === 0) return 'looking at the projection';
  const left = rebuild.positions.left();
  const how = left === null ? 'waiting for what was under way' : `${left} records left`;
  return `rebuilding ${waiting.length} of ${orgs.length} orgs: ${how}`;
}
