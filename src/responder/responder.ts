/**
 * The role responder: three consumer groups. One sends outputs to their targets (outputs/deliver.ts), one collects the responses of
 * tasks (responses/collector.ts). This one reads `sensor-events`, `sensor-presence` and `task-events`, and runs the rules of each
 * org:
 *
 *   read the events -> respond (match, suppress, perform, write) -> commit
 *
 * A rule that fails gets a fault with its name, and never stops the stream.
 */
import { consume } from '../consumer.ts';
import type { Batch, Group, Role, RolePorts } from '../ports.ts';
import type { RuleMemory } from '../rules/memory.ts';
import { Connections } from './connections.ts';
import { Devices } from './devices.ts';
import type { Effects } from './effects.ts';
import { Faults } from './faults.ts';
import { type OutputSinks, startDelivery } from './outputs/deliver.ts';
import type { OutputMemory } from './outputs/memory.ts';
import { type EventReader, noteConnections, RULE_TOPICS, readRuleEvents } from './read-events.ts';
import { type Responding, respond } from './respond.ts';
import { startCollector } from './responses/collector.ts';
import type { ResponseStore } from './responses/responses.ts';
import { Rulesets } from './rulesets.ts';
import { writeChunks } from './write-chunks.ts';

export const RESPONDER_GROUP = 'reliable-tasking-responder';

export type ResponderPorts = Omit<RolePorts, 'stats'> & {
  ruleMemory: RuleMemory;
  outputMemory: OutputMemory;
  sinks: OutputSinks;
  responses: ResponseStore;
};

export async function startResponder(ports: ResponderPorts): Promise<Role> {
  const responder = new Responder(ports, (await ports.inbox.ends('presence')).size);
  const roles: Role[] = [responder];
  const stop = async () => {
    await Promise.all(roles.map((role) => role.stop()));
  };
  try {
    await responder.start();
    roles.push(await startDelivery(ports));
    roles.push(await startCollector(ports));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ready: () => roles.map((role) => role.ready()).find(({ ready }) => !ready) ?? responder.ready(),
    stop,
  };
}

class Responder implements Role {
  readonly #ports: ResponderPorts;
  readonly #rulesets: Rulesets;
  readonly #reader: EventReader;
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
    this.#reader = { ...ports, rulesets: this.#rulesets, connections: new Connections() };
    const actionPorts = { ...ports, devices: new Devices({ ...ports, presencePartitions }) };
    this.#responding = { ports: actionPorts, rulesets: this.#rulesets, memory: ruleMemory, nowMs: clock.nowMs };
  }

  async start(): Promise<void> {
    this.#group = await this.#ports.inbox.join({
      groupId: this.#ports.config.KAFKA_TOPIC_PREFIX + RESPONDER_GROUP,
      topics: [...RULE_TOPICS],
      onAssigned: () => undefined,
      wanted: async () => null,
      onBatch: (batch) => this.#onBatch(batch),
    });
  }

  #onBatch(batch: Batch): Promise<boolean> {
    return consume(this.#ports, 'respond', batch, {
      perform: async () => {
        const events = readRuleEvents(this.#reader, batch);
        await respond(this.#responding, events, (effects) => this.#write(effects));
        return true;
      },
      commit: async () => {
        await noteConnections(this.#reader, batch);
        await this.#group?.commit(batch.topic, batch.partition, batch.nextOffset);
      },
    });
  }

  async #write(effects: Effects): Promise<void> {
    const { outbox, log } = this.#ports;
    const refused = (error: unknown) =>
      log.error(
        { err: error },
        'record of a rule not written: Kafka refuses its size; raise max.message.bytes of the topic',
      );
    await Promise.all([
      outbox.detections(effects.detections),
      outbox.outputs(effects.outputs),
      writeChunks(effects.presence, outbox.presence, refused),
      writeChunks(effects.commands, outbox.commands, refused),
      writeChunks(effects.sensorEvents, outbox.sensorEvents, refused),
    ]);
    for (const fault of effects.faults) this.#faults.add(fault);
    await this.#faults.flush();
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
}
