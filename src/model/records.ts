/**
 * The records on the topics, as plain objects: one interface for each file in schemas/, with the same names. No I/O.
 *
 * Every timestamp is a number of Unix milliseconds, every enum is a union of its symbols, and every nullable field is present
 * and may be null. A test compares the fields with the schemas.
 */

/** A tag that the API or a rule set on a sensor. `expires_at` null: it stays until it is removed. */
export interface PlatformTag {
  tag: string;
  expires_at: number | null;
}

/** What a sensor reports about itself. Selectors read these fields. Unknown texts are "", unknown codes 0. */
export interface SensorFacts {
  iid: string;
  did: string;
  hostname: string;
  ext_ip: string;
  int_ip: string;
  mac_addr: string;
  plat: number;
  ext_plat: number;
  arch: number;
  enroll: number | null;
  isolated: boolean;
  should_isolate: boolean;
  kernel: boolean;
  tags: string[];
}

export type TaskAction = 'TASK' | 'UNTASK';

/** Adds a task (TASK) or withdraws one (UNTASK). `ttl` is in seconds from `issued_at`; `options` is JSON. `untask_selector`
 *  limits an UNTASK to the sensors that match now. */
export interface TaskCommand {
  action: TaskAction;
  oid: string;
  task_id: string;
  task: string | null;
  selector: string | null;
  context: string | null;
  ttl: number;
  issued_at: number;
  issued_by: string;
  untask_selector: string | null;
  options: string | null;
}

export type PresenceKind = 'CONNECTED' | 'DISCONNECTED' | 'UPDATED' | 'FORGOTTEN';

/** A sensor connected, disconnected, changed, or is to be forgotten. `sensor` null: the last known facts stay.
 *  `connection_id` is "" in records of the API and of rules. */
export interface SensorPresence {
  event: PresenceKind;
  oid: string;
  sid: string;
  connection_id: string;
  occurred_at: number;
  sensor: SensorFacts | null;
  add_tags: PlatformTag[];
  remove_tags: string[];
  set_should_isolate: boolean | null;
  try_now: boolean;
}

/** What a sensor sent: a receipt, a response or another event. `routing` and `event` are JSON objects. */
export interface SensorEvent {
  oid: string;
  sid: string;
  event_type: string;
  event_id: string;
  occurred_at: number;
  investigation_id: string | null;
  task_id: string | null;
  routing: string;
  event: string;
}

/** The last known state of a sensor. `sensor` null: it never sent facts; `connection_id` null: it is offline;
 *  `should_isolate` null: neither the API nor a rule has set it. */
export interface SensorState {
  oid: string;
  sid: string;
  sensor: SensorFacts | null;
  platform_tags: PlatformTag[];
  removed_tags: string[];
  should_isolate: boolean | null;
  alive_at: number;
  connection_id: string | null;
}

/** One attempt of a delivery. `dispatched_at` is the time of the claim by the clock of Redis. */
export interface TaskDispatch {
  dispatch_id: string;
  oid: string;
  sid: string;
  task_id: string;
  task: string;
  investigation_id: string;
  attempt: number;
  connection_id: string;
  dispatched_at: number;
  expires_at: number;
}

export type TaskEventType =
  | 'ADD_TASK'
  | 'TASK_SENT'
  | 'TASK_DELIVERED'
  | 'TASK_DONE'
  | 'TASK_FAILURE'
  | 'TASK_EXPIRED'
  | 'TASK_REMOVED';

/** A step in the life of a task or, with a `sid`, of one of its deliveries. `detail` is JSON. */
export interface TaskEvent {
  type: TaskEventType;
  event_id: string;
  oid: string;
  task_id: string;
  sid: string | null;
  attempt: number | null;
  occurred_at: number;
  detail: string | null;
}

export type SettingKind = 'ORG' | 'SUBSCRIPTION' | 'API_KEY' | 'ENROLLMENT_KEY' | 'HIVE' | 'OUTPUT';

/** A setting of an organization; `value` is JSON. A record without a value (tombstone) deletes the setting. */
export interface OrgSetting {
  oid: string;
  kind: SettingKind;
  name: string;
  etag: string;
  value: string;
  updated_at: number;
  updated_by: string;
}

/** What a rule reported. `body` is JSON. */
export interface Detection {
  detect_id: string;
  oid: string;
  sid: string | null;
  cat: string;
  source: string;
  priority: number | null;
  occurred_at: number;
  body: string;
}

/** An event that a rule sent to a named output. `body` is JSON. */
export interface OutputRecord {
  oid: string;
  output: string;
  event_id: string;
  occurred_at: number;
  body: string;
}

/** The type of each record, by name. */
export interface RecordTypes {
  TaskCommand: TaskCommand;
  SensorPresence: SensorPresence;
  SensorEvent: SensorEvent;
  SensorState: SensorState;
  TaskDispatch: TaskDispatch;
  TaskEvent: TaskEvent;
  OrgSetting: OrgSetting;
  Detection: Detection;
  OutputRecord: OutputRecord;
}

export type RecordName = keyof RecordTypes;

/** All record names, in the order of the flow. */
export const RECORD_NAMES: readonly RecordName[] = [
  'TaskCommand',
  'SensorPresence',
  'SensorEvent',
  'SensorState',
  'TaskDispatch',
  'TaskEvent',
  'OrgSetting',
  'Detection',
  'OutputRecord',
];

/** Where a record is on its topic. */
export type LogOffset = { partition: number; offset: number };
