/**
 * The responder: three consumer groups. One sends outputs on (deliver.ts), one collects the responses of tasks
 * (../responses/collector.ts). The third is the group on `sensor-events`, `sensor-presence` and `task-events`, which runs the
 * rules of each org.
 *
 *   look (what rules see of the records) -> respond (match, suppress, perform, write; part by part) -> commit
 *
 * Effects come first and the commit last: a crash repeats a batch, with the same ids. A rule that fails is told with its
 * name and never stops the stream; what does is a Kafka or Redis that is away, until it is back.
 */
import { persist } from '../async/clock.ts';
import type { Batch, Group, Role, RolePorts } from '../ports.ts';
import type { RuleMemory } from '../rules/memory.ts';
import { Devices } from './devices.ts';
import type { Effects } from './effects.ts';
import { Faults } from './faults.ts';
import { inParts } from './in-parts.ts';
import { Connections, LOOKED_AT, type Looking, look, noteConnections } from './look.ts';
import { type OutputSinks, startDelivery } from './outputs/deliver.ts';
import type { OutputMemory } from './outputs/memory.ts';
import { type Responding, respond } from './respond.ts';
import { startCollector } from './responses/collector.ts';
import type { ResponseStore } from './responses/responses.ts';
import { Rulesets } from './rulesets.ts';

export const RESPONDER_GROUP = 'reliable-tasking-responder';

export type ResponderPorts = RolePorts & {
  ruleMemory: RuleMemory;
  outputMemory: OutputMemory;
  sinks: OutputSinks;
  responses: ResponseStore;
};

export async function startResponder(ports: ResponderPorts): Promise<Role> {
  const responder = new Responder(ports, (await ports.inbox.ends('presence')).size);
  const parts: Role[] = [responder];
  const stop = async () => {
    await Promise.all(parts.map((part) => part.stop()));
  };
  try {
    await responder.start();
    parts.push(await startDelivery(ports));
    parts.push(await startCollector(ports));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ready: () => parts.map((part) => part.ready()).find(({ ready }) => !ready) ?? responder.ready(),
    stop,
  };
}

class Responder implements Role {
  readonly #ports: ResponderPorts;
  readonly #rulesets: Rulesets;
  readonly #looking: Looking;
  readonly #responding: Responding;
  readonly #faults: Faults;
  #group: Group | null = null;

  constructor(ports: ResponderPorts, presencePartitions: number) {
    const { settings, clock, ruleMemory } = ports;
    this.#ports = ports;
    this.#faults = new Faults(ruleMemory, ports.log, clock);
    this.#rulesets = new Rulesets(settings, clock.nowMs, (oid, rule, sentence) =>
      this.#faults.add({ oid, rule, sentence }),
    );
    this.#looking = { ...ports, rulesets: this.#rulesets, connections: new Connections() };
    const acting = { ...ports, devices: new Devices({ ...ports, presencePartitions }) };
    this.#responding = { ports: acting, rulesets: this.#rulesets, memory: ruleMemory, nowMs: clock.nowMs };
  }

  async start(): Promise<void> {
    this.#group = await this.#ports.inbox.join({
      groupId: this.#ports.config.KAFKA_TOPIC_PREFIX + RESPONDER_GROUP,
      topics: [...LOOKED_AT],
      onAssigned: () => undefined,
      wanted: async () => null,
      onBatch: (batch) => this.#onBatch(batch),
    });
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'running rules' : 'joining the group' };
  }

  async stop(): Promise<void> {
    await this.#group?.stop();
    this.#rulesets.stop();
  }

  async #onBatch(batch: Batch): Promise<boolean> {
    const { clock, log, metrics } = this.#ports;
    const startedMs = clock.monoMs();
    const done = await persist(
      clock,
      batch.alive,
      async () => {
        const seen = look(this.#looking, batch);
        await respond(this.#responding, seen, (effects) => this.#write(effects));
        return true;
      },
      (error) => log.warn({ err: error, topic: batch.topic }, 'a batch is tried again'),
    );
    if (!done || !batch.alive()) return false;
    await noteConnections(this.#looking, batch);
    await this.#group?.commit(batch.topic, batch.partition, batch.nextOffset);
    metrics.batchLatency('respond', clock.monoMs() - startedMs);
    return true;
  }

  async #write(effects: Effects): Promise<void> {
    const { outbox, log } = this.#ports;
    const refused = (error: unknown) =>
      log.error(
        { err: error },
        'Kafka refuses a record of a rule because of its size: raise max.message.bytes of the topic',
      );
    await Promise.all([
      outbox.detections(effects.detections),
      outbox.outputs(effects.outputs),
      inParts(effects.presence, outbox.presence, refused),
      inParts(effects.commands, outbox.commands, refused),
      inParts(effects.sensorEvents, outbox.sensorEvents, refused),
    ]);
    for (const fault of effects.faults) this.#faults.add(fault);
    await this.#faults.flush();
  }
}
