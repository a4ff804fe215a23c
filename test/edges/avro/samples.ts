/** One record of each kind with every field set. The types see to it that no field of an interface is missing or too many,
 *  so comparing the keys with the schemas compares the interfaces with the schemas. */
import type { RecordName, RecordTypes, SensorFacts } from '../../../src/model/records.ts';

export const OID = '8cbe27f4-bfa1-4afb-ba19-138cd51389cd';
const AT = 1_750_000_000_123;

const facts: SensorFacts = {
  iid: 'f2f0a3a4-7a2a-4f0c-9a55-0d7f4f8c1c11',
  did: 'device-7',
  hostname: 'büro-7.example',
  ext_ip: '198.51.100.7',
  int_ip: '10.3.0.7',
  mac_addr: '00-00-5e-00-53-07',
  plat: 268435456,
  ext_plat: 0,
  arch: 2,
  enroll: AT - 86_400_000,
  isolated: false,
  should_isolate: true,
  kernel: true,
  tags: ['production', 'büro'],
};

export const samples: RecordTypes = {
  TaskCommand: {
    action: 'TASK',
    oid: OID,
    task_id: 'task-1',
    task: 'run --shell-command "echo 100% && whoami"',
    selector: 'plat==windows',
    context: 'version',
    ttl: 3600,
    issued_at: AT,
    issued_by: 'someone',
    untask_selector: 'tags contains "x"',
    options: '{"direct": true}',
  },
  SensorPresence: {
    event: 'CONNECTED',
    oid: OID,
    sid: 'sensor-123-abc',
    connection_id: 'c-1',
    occurred_at: AT,
    sensor: facts,
    add_tags: [{ tag: 'vip', expires_at: AT + 1 }],
    remove_tags: ['old'],
    set_should_isolate: true,
    try_now: true,
  },
  SensorEvent: {
    oid: OID,
    sid: 'sensor-123-abc',
    event_type: 'RECEIPT',
    event_id: 'e-1',
    occurred_at: AT,
    investigation_id: 'version/task-1',
    task_id: 'task-1',
    routing: '{"investigation_id":"version/task-1"}',
    event: '{"ERROR":0}',
  },
  SensorState: {
    oid: OID,
    sid: 'sensor-123-abc',
    sensor: facts,
    platform_tags: [{ tag: 'vip', expires_at: null }],
    removed_tags: ['old'],
    should_isolate: false,
    alive_at: AT,
    connection_id: 'c-1',
  },
  TaskDispatch: {
    dispatch_id: 'd-1',
    oid: OID,
    sid: 'sensor-123-abc',
    task_id: 'task-1',
    task: 'os_version',
    investigation_id: 'version/task-1',
    attempt: 1,
    connection_id: 'c-1',
    dispatched_at: AT,
    expires_at: AT + 3_600_000,
  },
  TaskEvent: {
    type: 'TASK_SENT',
    event_id: 'e-2',
    oid: OID,
    task_id: 'task-1',
    sid: 'sensor-123-abc',
    attempt: 1,
    occurred_at: AT,
    detail: '{"expires_at":1}',
  },
  OrgSetting: {
    oid: OID,
    kind: 'HIVE',
    name: 'dr-general/rule',
    etag: 'a1',
    value: '{}',
    updated_at: AT,
    updated_by: 'someone',
  },
  Detection: {
    detect_id: 'x-1',
    oid: OID,
    sid: 'sensor-123-abc',
    cat: 'Reliable task ran',
    source: 'dr-general',
    priority: 3,
    occurred_at: AT,
    body: '{}',
  },
  OutputRecord: { oid: OID, output: 'tasks-output', event_id: 'e-1', occurred_at: AT, body: '{}' },
};

export const topicOf = Object.fromEntries(Object.keys(samples).map((name) => [name, `test-${name}`])) as Record<
  RecordName,
  string
>;

/** Without the classes that avsc makes: what a program sees of a record. */
export function plain<T>(record: T): T {
  return JSON.parse(JSON.stringify(record)) as T;
}
