/** The outside world: sensors that connect, disconnect, change and answer, and producers of valid and invalid commands. */
import type { SensorEvent, SensorFacts, SensorPresence, TaskCommand, TaskDispatch } from '../../src/model/records.ts';
import { canonicalSelector } from '../../src/model/task.ts';
import { codec, type Env, NAMES } from './ports.ts';

export const ORGS = [
  'aaaaaaaa-0000-4000-8000-000000000001',
  'bbbbbbbb-0000-4000-8000-000000000002',
  'cccccccc-0000-4000-8000-000000000003',
];
export const UNKNOWN_ORG = 'dddddddd-0000-4000-8000-000000000004';
const SIDS = ['s0', 's1', 's2', 's3', 's4'];
const SELECTORS = [
  null,
  '*',
  'sid == "s1"',
  'sid == "s3"',
  '"red" in tags',
  '"blue" in tags',
  'plat == linux',
  'hostname == "h1"',
];
const NARROW = ['sid == "s1"', 'sid == "s2"', '"red" in tags', 'plat == linux'];

type Sensor = {
  oid: string;
  sid: string;
  connectionId: string | null;
  last: SensorPresence | null;
  facts: SensorFacts;
};

const BLANK: SensorFacts = {
  iid: '',
  did: '',
  hostname: 'h0',
  ext_ip: '',
  int_ip: '',
  mac_addr: '',
  plat: 0x10000000,
  ext_plat: 0,
  arch: 2,
  enroll: null,
  isolated: false,
  should_isolate: false,
  kernel: false,
  tags: [],
};

export class Fleet {
  readonly #env: Env;
  readonly #sensors: Sensor[] = [];
  #connections = 0;
  #taskIds = 0;
  orgs = 2;

  constructor(env: Env) {
    this.#env = env;
    for (const oid of ORGS)
      for (const sid of SIDS) this.#sensors.push({ oid, sid, connectionId: null, last: null, facts: BLANK });
  }

  /** Adds an org with a subscription from now on. Returns its id. */
  addOrg(): string {
    const oid = ORGS[this.orgs] as string;
    this.orgs += 1;
    this.subscribe(oid);
    return oid;
  }

  oid(): string {
    return this.#env.random.pick(ORGS.slice(0, this.orgs));
  }

  subscribe(oid: string): void {
    const { scheduler, broker } = this.#env;
    const now = Math.floor(scheduler.nowMs);
    const set = (kind: 'ORG' | 'SUBSCRIPTION', name: string, value: object) => {
      const setting = { oid, kind, name, etag: 'e', value: JSON.stringify(value), updated_at: now, updated_by: 'sim' };
      broker.append(NAMES.orgSettings, { key: `${oid}/${kind}/${name}`, value: codec.encode('OrgSetting', setting) });
    };
    set('ORG', oid, { name: 'sim' });
    set('SUBSCRIPTION', 'ext-reliable-tasking', { periods: [{ from: now }] });
  }

  // ---- sensors

  #any(isWanted: (sensor: Sensor) => boolean = () => true): Sensor | undefined {
    const known = ORGS.slice(0, this.orgs);
    const found = this.#sensors.filter((sensor) => known.includes(sensor.oid) && isWanted(sensor));
    return found.length === 0 ? undefined : this.#env.random.pick(found);
  }

  connect(): void {
    const sensor = this.#any(({ connectionId }) => connectionId === null) ?? this.#any();
    if (sensor) this.#connect(sensor);
  }

  reconnect(): void {
    const sensor = this.#any(({ connectionId }) => connectionId !== null);
    if (sensor) this.#connect(sensor);
  }

  #connect(sensor: Sensor): void {
    const { random } = this.#env;
    if (random.chance(0.4)) this.#change(sensor);
    this.#connections += 1;
    sensor.connectionId = `c${this.#connections}`;
    this.#say(sensor, { event: 'CONNECTED', sensor: random.chance(0.8) ? sensor.facts : null });
  }

  disconnect(): void {
    const sensor = this.#any(({ connectionId }) => connectionId !== null);
    if (!sensor) return;
    const connection_id = this.#env.random.chance(0.1) ? 'c0' : (sensor.connectionId ?? '');
    this.#say(sensor, { event: 'DISCONNECTED', sensor: null, connection_id });
    if (connection_id !== 'c0') sensor.connectionId = null;
  }

  update(): void {
    const sensor = this.#any(({ last }) => last !== null);
    if (!sensor) return;
    const { random } = this.#env;
    const how = random.weighted({ facts: 6, add: 2, remove: 2, now: 1 });
    if (how === 'facts') this.#change(sensor);
    this.#say(sensor, {
      event: 'UPDATED',
      connection_id: '',
      sensor: how === 'facts' ? sensor.facts : null,
      add_tags: how === 'add' ? [{ tag: random.pick(['red', 'blue']), expires_at: null }] : [],
      remove_tags: how === 'remove' ? [random.pick(['red', 'blue'])] : [],
      try_now: how === 'now',
    });
  }

  forget(): void {
    const sensor = this.#any(({ last }) => last !== null);
    if (!sensor) return;
    sensor.connectionId = null;
    this.#say(sensor, { event: 'FORGOTTEN', connection_id: '', sensor: null });
  }

  /** Appends a copy of the sensor's last record. */
  repeat(): void {
    const sensor = this.#any(({ last }) => last !== null);
    if (sensor?.last && sensor.last.event !== 'FORGOTTEN') this.#append(sensor.last);
  }

  #change(sensor: Sensor): void {
    const { random } = this.#env;
    sensor.facts = {
      ...sensor.facts,
      hostname: random.pick(['h0', 'h1']),
      plat: random.pick([0x10000000, 0x20000000]),
      tags: ['red', 'blue'].filter(() => random.chance(0.5)),
    };
  }

  #say(sensor: Sensor, change: Partial<SensorPresence>): void {
    const presence: SensorPresence = {
      event: 'UPDATED',
      oid: sensor.oid,
      sid: sensor.sid,
      connection_id: sensor.connectionId ?? '',
      occurred_at: Math.floor(this.#env.scheduler.nowMs),
      sensor: null,
      add_tags: [],
      remove_tags: [],
      set_should_isolate: null,
      try_now: false,
      ...change,
    };
    sensor.last = presence;
    this.#append(presence);
  }

  #append(presence: SensorPresence): void {
    const { event, oid, sid, connection_id } = presence;
    this.#env.trace?.('sensor', `${event} ${sid} of ${oid.slice(0, 4)} ${connection_id}`);
    this.#env.broker.append(NAMES.presence, { key: sid, value: codec.encode('SensorPresence', presence) });
  }

  // ---- answers

  onDispatch({ oid, sid, task_id }: TaskDispatch): void {
    const { random, scheduler } = this.#env;
    const online = this.#sensors.some(
      (sensor) => sensor.oid === oid && sensor.sid === sid && sensor.connectionId !== null,
    );
    if (!online || !random.chance(0.7)) return;
    if (random.chance(0.2)) scheduler.after(random.between(1, 50), () => this.#answer(oid, sid, task_id, 'DELIVERED'));
    const waitMs = random.chance(0.15) ? random.between(2_000, 20_000) : random.between(2, 400);
    scheduler.after(waitMs, () => this.#answer(oid, sid, task_id, 'RECEIPT'));
    if (random.chance(0.15))
      scheduler.after(waitMs + random.between(0, 3_000), () => this.#answer(oid, sid, task_id, 'RECEIPT'));
  }

  bogusReceipt(): void {
    const id = this.#someTask();
    if (id) this.#answer(this.oid(), this.#env.random.pick(SIDS), id, 'RECEIPT');
  }

  #answer(oid: string, sid: string, taskId: string, type: string): void {
    const { random, scheduler, broker, trace } = this.#env;
    const failed = random.chance(0.2);
    const event: SensorEvent = {
      oid,
      sid,
      event_type: type,
      event_id: `${scheduler.nowMs}`,
      occurred_at: Math.floor(scheduler.nowMs),
      investigation_id: `hunt/${taskId}`,
      task_id: random.chance(0.5) ? taskId : null,
      routing: '{}',
      event: failed ? '{"ERROR":5}' : '{}',
    };
    trace?.('sensor', `${type} ${sid} of ${oid.slice(0, 4)} for ${taskId}${failed ? ', with an error' : ''}`);
    broker.append(NAMES.sensorEvents, { key: sid, value: codec.encode('SensorEvent', event) });
  }

  // ---- commands

  #someTask(): string | null {
    return this.#taskIds === 0 ? null : `t${1 + this.#env.random.below(this.#taskIds)}`;
  }

  /** A new task. Another org may have a task with the same id. */
  task(): TaskCommand {
    const { random } = this.#env;
    const oid = this.oid();
    const shared = random.chance(0.3) ? this.#someTask() : null;
    if (shared === null) this.#taskIds += 1;
    const taskId = shared ?? `t${this.#taskIds}`;
    return this.#command(oid, taskId, {
      task: random.chance(0.05) ? `restart ${oid[0]} ${taskId}` : `os_version ${oid[0]} ${taskId}`,
      selector: random.pick(SELECTORS),
      context: random.chance(0.3) ? 'hunt' : null,
      ttl: random.chance(0.3) ? random.below(15) : 36_000,
    });
  }

  untask(narrow: boolean): TaskCommand | null {
    const id = this.#env.random.chance(0.05) ? 'unknown' : this.#someTask();
    if (id === null) return null;
    const untask_selector = narrow ? this.#env.random.pick(NARROW) : null;
    return this.#command(this.oid(), id, { action: 'UNTASK', untask_selector });
  }

  #command(oid: string, task_id: string, change: Partial<TaskCommand>): TaskCommand {
    return {
      action: 'TASK',
      oid,
      task_id,
      task: null,
      selector: null,
      context: null,
      ttl: 36_000,
      issued_at: Math.floor(this.#env.scheduler.nowMs),
      issued_by: 'sim',
      untask_selector: null,
      options: null,
      ...change,
    };
  }

  /** Writes directly to the topic, like any producer. */
  produce(command: TaskCommand, key = command.task_id): void {
    const { action, task_id, oid } = command;
    const what = canonicalSelector(action === 'TASK' ? command.selector : command.untask_selector);
    this.#env.trace?.('producer', `${action} ${task_id} of ${oid.slice(0, 4)} ${what} ttl ${command.ttl}`);
    this.#env.broker.append(NAMES.commands, { key, value: codec.encode('TaskCommand', command) });
  }

  poison(): void {
    const { random, broker } = this.#env;
    const command = this.task();
    const how = random.weighted({ bytes: 3, selector: 1, key: 1, org: 1, ttl: 1 });
    if (how === 'bytes') {
      const topic = random.pick([NAMES.commands, NAMES.presence, NAMES.sensorEvents, NAMES.taskEvents]);
      this.#env.trace?.('producer', `poison to ${topic}`);
      broker.append(topic, { key: `p${random.below(8)}`, value: Buffer.from([0xc3, 0x01, random.below(256), 7]) });
    } else if (how === 'selector') this.produce({ ...command, selector: 'plat ==' });
    else if (how === 'key') this.produce(command, 'another');
    else if (how === 'org') this.produce({ ...command, oid: UNKNOWN_ORG });
    else this.produce({ ...command, ttl: -1 });
  }
}
