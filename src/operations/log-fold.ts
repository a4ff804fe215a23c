/**
 * Folds the topics into memory, independently of the projection, so that `verify` can compare both.
 */
import { type CommandRules, checkPresence } from '../command/check.ts';
import { judgeAll } from '../consumer.ts';
import type { RecordName, RecordTypes } from '../model/records.ts';
import type { Decoded, InRecord } from '../ports.ts';
import { judgeEvent } from '../projector/events.ts';
import { judgeCommand } from '../projector/project.ts';
import { readStates } from '../projector/sensor-states.ts';
import { gather, judgeResponse } from '../responder/responses/gather.ts';
import type { TopicKey } from '../topics.ts';
import { essenceOf } from './compare.ts';
import { deadLetterOf } from './dead-letters.ts';
import { LoggedConnections } from './logged-connections.ts';
import { LoggedMinutes } from './logged-minutes.ts';
import { LoggedResponses } from './logged-responses.ts';
import { type LoggedTask, Replay } from './replay.ts';

export type LogPorts = {
  decode<N extends RecordName>(name: N, records: InRecord[]): Promise<Decoded<RecordTypes[N]>[]>;
  rules: CommandRules;
  prefix: string;
  retentionMs: number;
  nowMs(): number;
};

/** The topics to follow from their beginning, in this order, so that refusals are known before their records, and tasks before
 *  their responses. */
export const VERIFIED_TOPICS = [
  'deadLetter',
  'taskEvents',
  'commands',
  'sensorState',
  'presence',
  'sensorEvents',
] as const satisfies TopicKey[];
export type VerifiedTopic = (typeof VERIFIED_TOPICS)[number];

/** The refusal of a record younger than this can be missing on `dead-letter`, so the record is judged here. Milliseconds. */
const YOUNG_MS = 60_000;

export type LoggedSensor = { oid: string; sid: string; partition: number; essence: string };

export class LogFold {
  readonly connections = new LoggedConnections();
  readonly minutes = new LoggedMinutes();
  readonly responses = new LoggedResponses();
  /** By `oid/sid`. */
  readonly sensors = new Map<string, LoggedSensor>();
  readonly #ports: LogPorts;
  readonly #replay: Replay;
  /** `topic/partition/offset`. */
  readonly #refused = new Set<string>();
  readonly #takes: Readonly<Record<VerifiedTopic, (records: InRecord[]) => void | Promise<void>>> = {
    deadLetter: (records) => this.#takeDeadLetters(records),
    taskEvents: (records) => this.#takeEvents(records),
    commands: (records) => this.#takeCommands(records),
    sensorState: (records) => this.#takeStates(records),
    presence: (records) => this.#takePresence(records),
    sensorEvents: (records) => this.#takeSensorEvents(records),
  };

  constructor(ports: LogPorts) {
    this.#ports = ports;
    this.#replay = new Replay(ports.retentionMs);
  }

  /** Adds records of a topic, in order. */
  async take(topic: VerifiedTopic, records: InRecord[]): Promise<void> {
    await this.#takes[topic](records);
  }

  /** undefined if it is not on the log, or was refused. */
  task(oid: string, taskId: string): LoggedTask | undefined {
    const logged = this.#replay.get(oid, taskId);
    return logged && this.#refused.has(`commands/${logged.partition}/${logged.offset}`) ? undefined : logged;
  }

  taskIds(oid: string): string[] {
    return [...this.#replay.tasks.values()].filter((task) => task.oid === oid).map(({ taskId }) => taskId);
  }

  trim(nowMs: number): void {
    this.#replay.trim(nowMs);
  }

  #takeDeadLetters(records: InRecord[]): void {
    for (const record of records) {
      const deadLetter = deadLetterOf(record, this.#ports.prefix);
      if (deadLetter?.topicKey === 'commands' || deadLetter?.topicKey === 'presence')
        this.#refused.add(`${deadLetter.topicKey}/${deadLetter.partition}/${deadLetter.offset}`);
    }
  }

  async #takeEvents(records: InRecord[]): Promise<void> {
    const { decode, rules, nowMs } = this.#ports;
    for (const { record, event } of judgeAll(await decode('TaskEvent', records), rules.orgs, judgeEvent).accepted) {
      this.#replay.event(event);
      this.minutes.take(event.oid, { offset: record.offset, event }, nowMs());
    }
  }

  async #takeCommands(records: InRecord[]): Promise<void> {
    const { decode, rules, nowMs } = this.#ports;
    const replayed = ({ partition, offset, timestampMs }: InRecord) => {
      const refused = this.#refused.has(`commands/${partition}/${offset}`);
      return refused || nowMs() - timestampMs > YOUNG_MS ? { refused } : null;
    };
    const judged = judgeAll(await decode('TaskCommand', records), rules.orgs, judgeCommand(rules, replayed));
    for (const { record, command } of judged.accepted) this.#replay.command(record, command);
  }

  async #takePresence(records: InRecord[]): Promise<void> {
    const { decode, rules } = this.#ports;
    for (const item of await decode('SensorPresence', records)) {
      const { record } = item;
      if (!('value' in item) || this.#refused.has(`presence/${record.partition}/${record.offset}`)) continue;
      if (checkPresence(record.key?.toString() ?? null, item.value, rules.orgs)) continue;
      this.connections.take(record, item.value);
    }
  }

  /** Of events of unknown tasks, only recent ones are kept: the task can still arrive. */
  async #takeSensorEvents(records: InRecord[]): Promise<void> {
    const { decode, rules, nowMs } = this.#ports;
    const appended = new Map(
      records.map(({ partition, offset, timestampMs }) => [`${partition}/${offset}`, timestampMs]),
    );
    const judged = judgeAll(await decode('SensorEvent', records), rules.orgs, judgeResponse);
    for (const [oid, byTask] of gather(judged.accepted))
      for (const [taskId, responses] of byTask)
        for (const response of responses) {
          const atMs = appended.get(`${response.partition}/${response.offset}`) ?? 0;
          if (this.#replay.get(oid, taskId)?.state || nowMs() - atMs < YOUNG_MS)
            this.responses.take(oid, taskId, response, atMs);
        }
  }

  async #takeStates(records: InRecord[]): Promise<void> {
    for (const { record, state } of await readStates(this.#ports, records)) {
      const name = String(record.key);
      if (state === null) {
        this.sensors.delete(name);
        continue;
      }
      const { oid, sid } = state;
      const essence = essenceOf(state, this.#ports.nowMs());
      this.sensors.set(name, { oid, sid, partition: record.partition, essence });
    }
  }
}
