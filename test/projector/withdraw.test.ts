/** What a narrow UNTASK withdraws: with sensors that Redis has, with sensors that it has lost, and after a crash between two scripts. */
import { describe, expect, it } from 'vitest';
import type { SensorFacts, SensorState, TaskCommand } from '../../src/model/records.ts';
import type { Delivery } from '../../src/model/task.ts';
import type { InRecord } from '../../src/ports.ts';
import type { NarrowRequest } from '../../src/projector/projection.ts';
import { withdraw } from '../../src/projector/withdraw.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const facts = (hostname: string): SensorFacts => ({
  iid: '',
  did: '',
  hostname,
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
});
const state = (sid: string, hostname: string): SensorState => ({
  oid: OID,
  sid,
  sensor: facts(hostname),
  platform_tags: [],
  removed_tags: [],
  should_isolate: null,
  alive_at: 1,
  connection_id: null,
});
const command = (change: Partial<TaskCommand> = {}): TaskCommand => ({
  action: 'TASK',
  oid: OID,
  task_id: 'a',
  task: 'os_version',
  selector: null,
  context: null,
  ttl: 60,
  issued_at: 0,
  issued_by: '',
  untask_selector: null,
  options: null,
  ...change,
});
const untask = command({ action: 'UNTASK', untask_selector: 'hostname == "web"' });

/** A projection of one task and two presence partitions. `rows` by partition; absent: not written in this epoch. */
class World {
  readonly deliveries = new Map<string, Delivery>();
  readonly narrowed: NarrowRequest[] = [];
  /** The number of scripts after which the process crashes. */
  crashesAfter = Number.POSITIVE_INFINITY;
  readonly rows: Map<number, SensorState[]>;
  readonly topic: [number, string, SensorState | null][];

  constructor(rows: Map<number, SensorState[]>, topic: [number, string, SensorState | null][] = []) {
    this.rows = rows;
    this.topic = topic;
  }

  ports(): Parameters<typeof withdraw>[0] {
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const projection = {
      readTasks: async () => [{ state: 'pending', expiresAtMs: 99, command: command() }],
      status: async () => [{ livePartitions: new Set(this.rows.keys()) }],
      scanSensors: async (_: string, partition: number) => ({
        sensors: (this.rows.get(partition) ?? []).map((one) => ({ sid: one.sid, facts: json(one), presence: null })),
        next: null,
      }),
      narrow: async (request: NarrowRequest) => {
        if (this.narrowed.length >= this.crashesAfter) throw new Error('crashed');
        this.narrowed.push(request);
        for (const sid of request.sids)
          if (!this.deliveries.has(sid))
            this.deliveries.set(sid, { state: 'removed', attempt: 0, atMs: 5, reason: String(request.offset) });
        return { ok: true, sids: request.sids };
      },
      readDeliveries: async () => this.deliveries,
    };
    const inbox = {
      readAll: async (_: string, on: (records: InRecord[]) => Promise<void>) =>
        on(this.topic.map(([partition, sid, value]) => record(partition, `${OID}/${sid}`, value && json(value)))),
      decode: async (_: string, records: InRecord[]) =>
        records.map((one) => ({ record: one, value: JSON.parse(String(one.value)) })),
    };
    const recordCodec = { decode: (_: string, bytes: Buffer) => JSON.parse(bytes.toString()) };
    return { projection, inbox, recordCodec, clock: { nowMs: () => 10 } } as never;
  }

  async withdraw(selector = untask.untask_selector): Promise<string[]> {
    const step = { command: { ...untask, untask_selector: selector }, record: { ...record(0, 'a', null), offset: 7 } };
    const answer = await withdraw(this.ports(), step, 'e1', 2);
    if (!answer.ok) throw new Error(answer.why);
    for (const { event } of answer.events)
      expect(event).toMatchObject({ type: 'TASK_REMOVED', task_id: 'a', detail: '{"expires_at":99}' });
    return answer.events.map(({ event }) => event.sid as string).toSorted();
  }
}

const record = (partition: number, key: string, value: Buffer | null): InRecord => ({
  topic: 't',
  partition,
  offset: 0,
  key: Buffer.from(key),
  value,
  timestampMs: 5,
  headers: {},
});

describe('a narrow UNTASK', () => {
  it('withdraws the deliveries of the sensors that match', async () => {
    const world = new World(
      new Map([
        [0, [state('s1', 'web'), state('s2', 'db')]],
        [1, [state('s3', 'web')]],
      ]),
    );
    expect(await world.withdraw()).toEqual(['s1', 's3']);
  });

  it('takes the sensors of partitions that Redis does not have from sensor-state, where the last record counts', async () => {
    const topic: [number, string, SensorState | null][] = [
      [0, 's1', state('s1', 'db')],
      [1, 's3', state('s3', 'web')],
      [1, 's4', state('s4', 'web')],
      [1, 's4', state('s4', 'db')],
      [1, 's5', state('s5', 'web')],
      [1, 's5', null],
    ];
    expect(await new World(new Map([[0, [state('s1', 'web')]]]), topic).withdraw()).toEqual(['s1', 's3']);
    expect(await new World(new Map(), topic).withdraw()).toEqual(['s3']);
  });

  it('withdraws the delivery of a sensor that the selector names and nobody knows: it can connect later', async () => {
    expect(await new World(new Map([[0, []]])).withdraw('sid == "s9"')).toEqual(['s9']);
    expect(await new World(new Map([[0, []]])).withdraw('sid == "s8" and hostname == "web"')).toEqual([]);
  });

  it('returns the events of what it withdrew before a crash, also if these sensors do not match any more', async () => {
    const many = Array.from({ length: 700 }, (_, i) => state(`s${i}`, 'web'));
    const world = new World(
      new Map([
        [0, many],
        [1, []],
      ]),
    );
    world.crashesAfter = 1;
    await expect(world.withdraw()).rejects.toThrow('crashed');
    world.crashesAfter = Number.POSITIVE_INFINITY;
    world.rows.set(0, [state('s0', 'db'), state('s699', 'web')]);
    expect(await world.withdraw()).toEqual([...many.slice(0, 500).map(({ sid }) => sid), 's699'].toSorted());
  });

  it('has no event for a delivery that another UNTASK has withdrawn', async () => {
    const world = new World(
      new Map([
        [0, [state('s1', 'web')]],
        [1, []],
      ]),
    );
    world.deliveries.set('s1', { state: 'removed', attempt: 0, atMs: 1, reason: '3' });
    expect(await world.withdraw()).toEqual([]);
  });
});
