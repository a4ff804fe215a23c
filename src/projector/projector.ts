/**
 * The role projector: a consumer group on `task-commands` and `task-events`. It keeps the projection at the end of the log,
 * rebuilds it after a loss, and ends tasks whose TTL is over.
 *
 *   decode and judge -> apply in Redis -> write events and dead letters (commands.ts, events.ts) -> commit
 */
import { retryDelayMs } from '../async/clock.ts';
import { consume } from '../consumer.ts';
import type { Batch, Group, Role, RolePorts } from '../ports.ts';
import { applyCommands, GenerationOver } from './commands.ts';
import { applyEvents } from './events.ts';
import { expireTasks } from './expiry.ts';
import { type Kind, partitionKey, TOPIC_OF } from './org-progress.ts';
import { Rebuild } from './rebuild.ts';
import { startInspector } from './shared-topics.ts';

export const PROJECTOR_GROUP = 'reliable-tasking-projector';

const POLL_MS = 1_000;
const POLL_REBUILDING_MS = 100;
const ADVANCE_MS = 10_000;
/** During a rebuild more often: the offsets in Redis show its progress. */
const ADVANCE_REBUILDING_MS = 500;
const EXPIRE_MS = 250;

type Stoppable = { stop(): Promise<void> };

export type ProjectorPorts = Omit<RolePorts, 'settings'>;

export async function startProjector(ports: ProjectorPorts): Promise<Role> {
  const projector = new Projector(ports, (await ports.inbox.ends('presence')).size);
  await projector.start();
  return projector;
}

class Projector implements Role {
  readonly #ports: ProjectorPorts;
  readonly #groupId: string;
  readonly #presencePartitions: number;
  readonly #rebuild: Rebuild;
  #group: Group | null = null;
  #inspector: Stoppable | null = null;
  #poller: (Stoppable & { soon(): void }) | null = null;
  #expirer: Stoppable | null = null;
  #stopListening = () => {};
  #isComplete = false;
  /** Polls that failed in a row. */
  #failures = 0;
  #stopping = false;
  #advancedMono: number;

  constructor(ports: ProjectorPorts, presencePartitions: number) {
    this.#ports = ports;
    this.#groupId = ports.config.KAFKA_TOPIC_PREFIX + PROJECTOR_GROUP;
    this.#presencePartitions = presencePartitions;
    this.#rebuild = new Rebuild(ports, this.#groupId);
    this.#advancedMono = ports.clock.monoMs();
  }

  async start(): Promise<void> {
    const { inbox, clock, orgs } = this.#ports;
    const group = await inbox.join({
      groupId: this.#groupId,
      topics: [TOPIC_OF.c, TOPIC_OF.t],
      onAssigned: (partitions) => this.#rebuild.assign(partitions),
      wanted: (topic, partition) => this.#rebuild.wanted(partitionKey(kindOf(topic), partition)),
      onBatch: (batch) => this.#onBatch(batch),
    });
    this.#group = group;
    this.#rebuild.group = group;
    this.#inspector = await startInspector(this.#ports).catch(async (error) => {
      await group.stop(); // the start is tried again, and must not find a member of this attempt in the group
      throw error;
    });
    this.#poller = clock.every(POLL_MS, () => this.#poll());
    this.#stopListening = orgs.table.onChange(() => this.#poller?.soon());
    this.#expirer = clock.every(EXPIRE_MS, () => this.#expire());
  }

  #onBatch(batch: Batch): Promise<boolean> {
    const { topic, partition, nextOffset } = batch;
    const kind = kindOf(topic);
    return consume(this.#ports, `projector ${topic}`, batch, {
      perform: () => this.#perform(kind, batch),
      commit: () =>
        this.#rebuild.effects.done(kind, partition, nextOffset, (committable) =>
          (this.#group as Group).commit(topic, partition, committable),
        ),
    });
  }

  /** False: the position has moved, and the batch is read again from there. */
  async #perform(kind: Kind, batch: Batch): Promise<boolean> {
    try {
      if (kind === 'c') await applyCommands(this.#ports, this.#rebuild, batch, this.#presencePartitions);
      else await applyEvents(this.#ports, this.#rebuild, batch);
      return true;
    } catch (error) {
      if (!(error instanceof GenerationOver)) throw error;
      await this.#rebuild.poll();
      return false;
    }
  }

  async #poll(): Promise<void> {
    const { clock } = this.#ports;
    try {
      this.#isComplete = await this.#rebuild.poll();
      this.#failures = 0;
      const advanceMs = this.#isComplete ? ADVANCE_MS : ADVANCE_REBUILDING_MS;
      if (clock.monoMs() - this.#advancedMono >= advanceMs) {
        await this.#rebuild.advanceIdle();
        this.#advancedMono = clock.monoMs();
      }
    } catch (error) {
      this.#isComplete = false;
      this.#pollFailed(error);
    }
    if (this.#isComplete || this.#stopping) return;
    await clock.delay(this.#failures > 0 ? retryDelayMs(this.#failures, clock.random()) : POLL_REBUILDING_MS);
    if (!this.#stopping) this.#poller?.soon();
  }

  /** Redis can be away for long, so only the first failure is a warning. */
  #pollFailed(error: unknown): void {
    this.#failures += 1;
    const level = this.#failures === 1 ? 'warn' : 'debug';
    this.#ports.log[level]({ err: error }, 'projection not readable: Redis does not answer; retrying');
  }

  async #expire(): Promise<void> {
    if (this.#failures > 0) return;
    await expireTasks(this.#ports, this.#rebuild.orgs).catch((error) =>
      this.#ports.log.warn({ err: error }, 'expired tasks not announced; retrying'),
    );
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    if (this.#failures > 0) return { ready: false, detail: 'the projection does not answer' };
    const joined = this.#group?.joined() === true;
    if (joined && this.#rebuild.positioned && this.#isComplete)
      return { ready: true, detail: `partitions ${this.#rebuild.partitions.join(' ') || 'none'}` };
    return { ready: false, detail: joined ? progressOf(this.#rebuild) : 'joining the group' };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopListening();
    await Promise.all([this.#poller?.stop(), this.#expirer?.stop()]);
    await this.#rebuild
      .advanceIdle()
      .catch((error) =>
        this.#ports.log.warn({ err: error }, 'offsets not written to Redis at the stop; the next start reads more'),
      );
    await Promise.all([this.#group?.stop(), this.#inspector?.stop()]);
  }
}

const kindOf = (topic: Batch['topic']): Kind => (topic === TOPIC_OF.c ? 'c' : 't');

/** What the projector waits for before it is ready. */
function progressOf({ orgs, awayOrgs }: Rebuild): string {
  const all = [...orgs.all()];
  const incomplete = all.filter(([, { usable }]) => !usable);
  if (awayOrgs.count > 0) return `${awayOrgs.count} orgs do not answer`;
  if (incomplete.length === 0) return 'reading the state of the projection';
  const left = orgs.left();
  const progress = left === null ? 'waiting until attempts in flight are on the log' : `${left} records left`;
  return `rebuilding ${incomplete.length} of ${all.length} orgs: ${progress}`;
}
