/**
 * Stands in for Kafka and Redis where only the HTTP side is under test: appended commands are applied at once, as far as
 * the answers need it. The real ones are in test/integration.
 */

import { createHash } from 'node:crypto';
import type { TSchema } from '@sinclair/typebox';
import pino from 'pino';
import { RecentDetections } from '../../../src/api/events/recent-detections.ts';
import type { ApiPorts } from '../../../src/api/ports.ts';
import { registerApi } from '../../../src/api/routes.ts';
import { systemClock } from '../../../src/async/clock.ts';
import { readConfig } from '../../../src/config.ts';
import { createHttpServer, type HttpServer } from '../../../src/edges/http/server.ts';
import type {
  LogOffset,
  SensorEvent,
  SensorFacts,
  SensorPresence,
  SensorState,
  TaskCommand,
  TaskEvent,
} from '../../../src/model/records.ts';
import { fold, newSensor, type SensorView, toState } from '../../../src/model/sensor.ts';

import {
  contentHashOf,
  type Delivery,
  expiryOf,
  isDirect,
  type TaskRecord,
  taskIdOfInvestigation,
} from '../../../src/model/task.ts';

import type { KeyUse } from '../../../src/orgs/key-use.ts';
import { OrgTable } from '../../../src/orgs/table.ts';
import type { InFlight, OrgStatus, Projection, StoredSensor } from '../../../src/projector/projection.ts';
import type { OutputFailure } from '../../../src/responder/outputs/memory.ts';
import type { Response } from '../../../src/responder/responses/responses.ts';
import { OID, SECRET, testSettings } from '../../command/orgs.ts';
import { SettingLog } from '../../orgs/memory-settings.ts';
import { conform, conformAction } from './conforms.ts';

const PARTITIONS = 4;

export const ALIVE_AT_MS = 1_700_000_000_000;

export const FACTS: SensorFacts = {
  iid: '',
  did: '',
  hostname: 'host',
  ext_ip: '',
  int_ip: '10.3.1.2',
  mac_addr: '',
  plat: 0x10000000,
  ext_plat: 0,
  arch: 2,
  enroll: 0,
  isolated: false,
  should_isolate: false,
  kernel: false,
  tags: [],
};

export class Memory {
  readonly orgs = new OrgTable();
  readonly settingLog = new SettingLog(testSettings());
  readonly settings = this.settingLog.process('api', this.orgs);
  readonly appended: TaskCommand[] = [];
  readonly tasks = new Map<string, TaskRecord>();
  readonly deliveries = new Map<string, Map<string, Delivery>>();
  readonly sensors = new Map<string, { facts: Partial<SensorFacts>; online: boolean; sinceMs: number }>();
  /** Sensors that some orgs alone have; the others are in all. */
  readonly orgsOf = new Map<string, string[]>();
  readonly listeners = new Set<(logOffset: LogOffset, event: TaskEvent) => void>();
  readonly emitted: { logOffset: LogOffset; event: TaskEvent }[] = [];
  /** A replay reads nothing before this resolves. */
  beforeReplay: () => Promise<void> = async () => {};
  readonly presence: SensorPresence[] = [];
  readonly sensorEvents: SensorEvent[] = [];
  /** What API and rules have set. */
  readonly views = new Map<string, SensorView>();
  inFlight: InFlight[] = [];
  epoch = 'e1';
  usable = true;
  /** Commands are appended, but not applied. */
  behind = false;
  fault: Error | null = null;
  kafkaFault: Error | null = null;
  /** Runs after each append was applied. */
  afterAppend: () => void = () => {};
  /** Runs before each read, with its name. */
  onRead: (name: string) => void = () => {};
  /** Joiners say how many sensors match. */
  counting = true;
  inFlightAsked = 0;
  nowMs = Date.now();
  issuer: ApiPorts['issuer'] = null;
  #applied = 0;
  #presenceApplied = 0;

  /** `online` null: it was announced, and never connected. */
  addSensor(sid: string, facts: Partial<SensorFacts> = {}, online: boolean | null = true): void {
    this.sensors.set(sid, { facts, online: online === true, sinceMs: online === null ? 0 : ALIVE_AT_MS });
  }

  setDelivery(taskId: string, sid: string, delivery: Partial<Delivery>): void {
    const deliveries = this.deliveries.get(taskId) ?? new Map<string, Delivery>();
    this.deliveries.set(
      taskId,
      deliveries.set(sid, { state: 'done', attempt: 1, atMs: this.nowMs, reason: '', ...delivery }),
    );
  }

  /** Writes an event to a partition of `task-events`; answers its offset. */
  emit(event: TaskEvent, partition = 0): number {
    const logOffset = { partition, offset: this.#nextOffset(partition) };
    this.emitted.push({ logOffset, event });
    for (const listener of this.listeners) listener(logOffset, event);
    return logOffset.offset;
  }

  #nextOffset = (partition: number): number =>
    this.emitted.filter(({ logOffset }) => logOffset.partition === partition).length;
  readonly detections = new RecentDetections();
  /** Of tasks, in the order of `sensor-events`; and what stands there, by `partition offset`. */
  readonly responses = new Map<string, Response[]>();
  readonly bodies = new Map<string, SensorEvent>();
  responsesComplete = true;
  readonly bodiesAsked: number[] = [];
  /** Faults of rules, by `hive/name`. */
  readonly ruleFaults = new Map<string, { sentence: string; atMs: number }>();

  readonly outputFailures = new Map<string, OutputFailure>();

  partitionOf = (sid: string): number => (createHash('md5').update(sid).digest()[0] as number) % PARTITIONS;

  ports(env: Record<string, string> = {}): ApiPorts {
    const config = readConfig({
      KAFKA_BROKERS: 'localhost:1',
      REDIS_URL: 'redis://localhost:1',
      JWT_SECRET: 'a secret of the test, long enough',
      API_APPLY_WAIT_MS: '60',
      CLAIM_LEASE_MS: '100',
      ...env,
    });
    return {
      config,
      log: pino({ level: 'silent' }),
      nowMs: () => this.nowMs,
      clock: systemClock,
      orgs: this.orgs,
      issuer: this.issuer,
      settings: this.settings,
      keyUse: this.keyUse,
      projection: this.projection() as Projection,
      ruleFaults: async () => this.ruleFaults,
      outputMemory: {
        failures: async () => this.outputFailures,
        forget: async (_oid, output) => void this.outputFailures.delete(output),
      },
      detections: this.detections,
      consoleFolder: '/nonexistent',
      responses: {
        read: async (_oid, taskId) => ({
          responses: this.responses.get(taskId) ?? [],
          complete: this.responsesComplete,
        }),
      },
      sensorEventsAt: async (logOffsets) => {
        if (this.kafkaFault) throw this.kafkaFault;
        this.bodiesAsked.push(logOffsets.length);
        return logOffsets.map(({ partition, offset }) => this.bodies.get(`${partition} ${offset}`) ?? null);
      },
      stats: { read: async (_oid, _first, count) => Array.from({ length: count }, () => new Map()) },
      commands: { append: async (commands) => commands.map((command) => this.#append(command)) },
      events: {
        positions: () => new Map([0, 1].map((partition) => [partition, this.#nextOffset(partition)])),
        subscribe: (oid, listener) => {
          const mine = (logOffset: LogOffset, event: TaskEvent) => event.oid === oid && listener(logOffset, event);
          this.listeners.add(mine);
          return () => this.listeners.delete(mine);
        },
        replay: async (oid, from, to, listener, given) => {
          await this.beforeReplay();
          for (const { logOffset, event } of [...this.emitted]) {
            const { partition, offset } = logOffset;
            const isAsked = offset >= (from.get(partition) ?? 0) && offset < (to.get(partition) ?? 0);
            if (isAsked && event.oid === oid && !given.aborted) await listener(logOffset, event);
          }
        },
      },
      presence: { append: async (records) => records.map((record) => this.#appendPresence(record)) },
      sensorEvents: { append: async (records) => records.map((record) => this.#appendEvent(record)) },
      presencePartitions: () => PARTITIONS,
      presencePartitionOf: this.partitionOf,
      decodeState: (bytes) => JSON.parse(bytes.toString()) as SensorState,
      stateReader: () => (bytes) => JSON.parse(bytes.toString()) as SensorState,
    };
  }

  /** As Redis counts, for all servers on this memory. */
  readonly counts = new Map<string, { requests: number; endsMs: number }>();
  readonly uses: string[] = [];
  keyUseFault: Error | null = null;
  readonly keyUse: KeyUse = {
    count: async (credential, windowMs) => {
      if (this.keyUseFault) throw this.keyUseFault;
      const found = this.counts.get(credential);
      const counted = found && found.endsMs > this.nowMs ? found : { requests: 0, endsMs: this.nowMs + windowMs };
      counted.requests += 1;
      this.counts.set(credential, counted);
      return { requests: counted.requests, leftMs: counted.endsMs - this.nowMs };
    },
    used: async (oid, name) => {
      if (this.keyUseFault) throw this.keyUseFault;
      this.uses.push(`${oid}/${name}`);
    },
    lastUses: async (_oid, names) => names.map(() => null),
  };

  #append(command: TaskCommand) {
    if (this.kafkaFault) throw this.kafkaFault;
    const offset = this.appended.push(command) - 1;
    if (!this.behind) this.#apply(command, offset);
    this.afterAppend();
    return { partition: 0, offset };
  }

  /** Folded in at once, as the sensor's owner would. */
  #appendPresence(record: SensorPresence) {
    if (this.kafkaFault) throw this.kafkaFault;
    const offset = this.presence.push(record) - 1;
    const partition = this.partitionOf(record.sid);
    if (this.behind) return { partition, offset };
    this.#presenceApplied = offset + 1;
    if (record.event === 'FORGOTTEN') this.sensors.delete(record.sid);
    else {
      const view = this.#viewOf(record.sid);
      fold(view, record);
      this.views.set(record.sid, view);
    }
    return { partition, offset };
  }

  /** A receipt settles its delivery. */
  #appendEvent(record: SensorEvent) {
    if (this.kafkaFault) throw this.kafkaFault;
    this.sensorEvents.push(record);
    if (!this.behind)
      this.setDelivery(taskIdOfInvestigation(record.investigation_id ?? ''), record.sid, { state: 'done' });
    return { partition: this.partitionOf(record.sid), offset: this.sensorEvents.length - 1 };
  }

  #apply(command: TaskCommand, offset: number): void {
    this.#applied = offset + 1;
    const known = this.tasks.get(command.task_id);
    if (command.action === 'TASK') {
      if (!known) this.tasks.set(command.task_id, this.#record(command, offset));
      const sid = /^sid == "(.*)"$/.exec(command.selector ?? '')?.[1];
      // Done when sent, as the joiner does.
      if (isDirect(command) && sid && this.sensors.get(sid)?.online) this.setDelivery(command.task_id, sid, {});
    } else if (known?.state === 'pending' && command.untask_selector === null) {
      this.tasks.set(command.task_id, { ...known, state: 'removed', endedAtMs: this.nowMs });
    } else if (known?.state === 'pending') {
      // As much of narrowing as the answers need: the selector names one sid.
      const sid = /^sid == "(.*)"$/.exec(command.untask_selector ?? '')?.[1] as string;
      this.setDelivery(command.task_id, sid, { state: 'removed', attempt: 0, reason: String(offset) });
    }
  }

  #record(command: TaskCommand, offset: number): TaskRecord {
    return {
      taskId: command.task_id,
      state: 'pending',
      expiresAtMs: expiryOf(command),
      endedAtMs: null,
      contentHash: contentHashOf(command),
      offset,
      command,
    };
  }

  projection(): Partial<Projection> {
    const reads: Partial<Projection> = {
      status: async () => [this.#status()],
      inFlight: async (_oid, epoch) =>
        epoch === this.epoch
          ? { ok: true, nowMs: this.nowMs, entries: this.inFlight }
          : { ok: false, why: 'epoch', epoch: this.epoch },
      pendingIds: async (_oid, limit, after) => this.#page('pending', limit, after),
      endedIds: async (_oid, limit, after) => this.#page('ended', limit, after),
      readTasks: async (_oid, ids) => ids.map((id) => this.tasks.get(id) ?? null),
      readDeliveries: async (_oid, id) => this.deliveries.get(id) ?? new Map(),
      readCounts: async (_oid, id) => this.#counts(this.tasks.get(id)),
      countDeliveries: async (_oid, ids) => ids.map((id) => this.deliveries.get(id)?.size ?? 0),
      readDelivery: async (_oid, id, sid) => this.deliveries.get(id)?.get(sid) ?? null,
      scanSensors: async (_oid, partition) => ({ sensors: this.#stored(partition), next: null }),
      scanFacts: async (_oid, partition) => ({ sensors: this.#stored(partition), next: null }),
      readPresence: async (_oid, partition, sids) =>
        sids.map((sid) => this.#stored(partition).find((sensor) => sensor.sid === sid)?.presence ?? null),
      readSensors: async (oid, partition, sids) =>
        sids
          .map((sid) => ((this.orgsOf.get(sid)?.includes(oid) ?? true) ? sid : null))
          .map((sid) => this.#stored(partition, oid).find((sensor) => sensor.sid === sid) ?? null),
    };
    const guarded = Object.entries(reads).map(([name, ask]) => [
      name,
      async (...args: unknown[]) => {
        if (this.fault) throw this.fault;
        this.onRead(name);
        if (name === 'inFlight') this.inFlightAsked += 1;
        return (ask as (...args: unknown[]) => unknown)(...args);
      },
    ]);
    return { ...Object.fromEntries(guarded), onHint: () => () => {} };
  }

  #status(): OrgStatus {
    const commandOffsets = new Map([[0, this.#applied]]);
    const { epoch, usable, nowMs } = this;
    const presenceOffsets = new Map(Array.from({ length: PARTITIONS }, (_, p) => [p, this.#presenceApplied] as const));
    return {
      epoch,
      usable,
      nowMs,
      version: 1,
      begunAtMs: 0,
      commandOffsets,
      presenceOffsets,
      livePartitions: new Set(),
      eventOffsets: new Map(),
    };
  }

  #page(kind: 'pending' | 'ended', limit: number, after: string | null) {
    const all = [...this.tasks.values()].filter((task) => (task.state === 'pending') === (kind === 'pending'));
    const ids = all.map(({ taskId }) => taskId).sort();
    const rest = after === null ? ids : ids.filter((id) => id > after.slice(after.indexOf(' ') + 1));
    const some = rest.slice(0, limit);
    return { ids: some, next: rest.length > limit ? `0 ${some.at(-1)}` : null };
  }

  /** As joiners count, who know no selectors here but `*` and plat. */
  #counts(task: TaskRecord | undefined) {
    const linux = /plat ?== ?linux/.test(task?.command.selector ?? '');
    const matched = [...this.sensors.values()].filter(({ facts }) => linux === (facts.plat === 0x20000000) || !linux);
    if (!this.counting) return { partitions: 0, matched: 0, online: 0 };
    return { partitions: PARTITIONS, matched: matched.length, online: matched.filter(({ online }) => online).length };
  }

  #stored(partition: number, oid = OID): (StoredSensor & { facts: Buffer })[] {
    return [...this.sensors]
      .filter(([sid]) => this.partitionOf(sid) === partition)
      .map(([sid, { facts, online, sinceMs }]) => ({
        sid,
        facts: Buffer.from(JSON.stringify({ ...this.#state(sid, facts), oid })),
        presence: {
          online,
          connectionId: 'c',
          aliveAtMs: ALIVE_AT_MS,
          confirms: false,
          sinceMs,
          closed: [],
          replaced: [],
          nextOffset: 0,
        },
      }));
  }

  #state(sid: string, facts: Partial<SensorFacts>): SensorState {
    return { ...toState(this.#viewOf(sid)), sensor: { ...FACTS, ...facts }, connection_id: 'c' };
  }

  #viewOf(sid: string): SensorView {
    return this.views.get(sid) ?? newSensor(OID, sid);
  }
}

/** A server with all routes on a Memory; it does not listen. */
export async function startApi(memory: Memory, env: Record<string, string> = {}): Promise<HttpServer> {
  const ports = memory.ports(env);
  const server = createHttpServer(ports.config, ports.log, { report: () => ({ ready: true, roles: {} }) });
  server.addHook('onSend', async (request, reply, payload) => {
    holdToSchema(request.routeOptions, reply.statusCode, payload);
    return payload;
  });
  await registerApi(server, ports);
  return server;
}

type Described = { url?: string | undefined; schema?: { hide?: boolean; response?: unknown } };

/** Every JSON answer that is no error, of every route in every test. */
function holdToSchema({ url, schema }: Described, status: number, payload: unknown): void {
  const described = schema?.response as Record<number, TSchema> | undefined;
  if (described === undefined || schema?.hide || status >= 300 || typeof payload !== 'string') return;
  if (/^[[{]/.test(payload)) conform(`${url} ${status}`, described[status], JSON.parse(payload));
}

export type Answer = { status: number; body: { error: string; error_code?: string; data: Record<string, unknown> } };

/** Asks for a token of the org. */
export async function tokenOf(server: HttpServer, oid = OID, secret = SECRET): Promise<string> {
  const answer = await server.inject({ method: 'POST', url: '/', payload: { oid, secret } });
  return (answer.json() as { jwt: string }).jwt;
}

/** One action of the extension, as JSON. */
export async function act(
  server: HttpServer,
  jwt: string,
  action: string,
  data: unknown,
  headers = {},
): Promise<Answer> {
  const answer = await server.inject({
    method: 'POST',
    url: '/v1/extension/request/ext-reliable-tasking',
    headers: { authorization: `Bearer ${jwt}`, ...headers },
    payload: { oid: OID, action, data },
  });
  const { statusCode: status } = answer;
  const body = answer.json();
  conformAction(action, status, body.data);
  return { status, body };
}
