/** What the API answers, as far as the console reads it. */
export type Envelope<T> = { error: string; version: number; data: T };
export type ErrorEnvelope = { error: string; error_code: string; retriable: boolean; data: Record<string, unknown> };

export type PairState = 'queued' | 'sent' | 'done' | 'failed' | 'expired' | 'removed';
export type Counts = Record<PairState, number>;

/** Times are Unix ms, `ttl` is in seconds. */
export type Task = {
  task_id: string;
  task: string;
  sensor_selector: string;
  context: string | null;
  ttl: number;
  created_at: number;
  expires_at: number;
  issued_by: string;
  acknowledged_count: number;
};
export type TaskPage = { tasks: Task[]; next_cursor?: string };

export type PairRow = { sid: string; hostname: string; state: PairState; attempt: number; at: number; reason: string };
export type TaskDetail = Task & {
  state: 'pending' | 'expired' | 'removed';
  ended_at?: number;
  counts: Counts;
  sensors: PairRow[];
  next_cursor?: string;
};

export type Preview = {
  total_sensors: number;
  online_sensors: number;
  sensors: { sid: string; hostname: string; plat: string; online: boolean }[];
  excluded_by: { clause: string; sensors: number }[];
  next_cursor?: string;
};
export type Verdict = boolean | 'error';
export type Explanation = {
  result: Verdict;
  clauses: { clause: string; column: number; value: unknown; result: Verdict }[];
};
export type Why = { state: string; reason: string; sentence: string; at: number | null };

export type SensorInfo = {
  sid: string;
  hostname: string;
  plat: number;
  arch: number;
  int_ip: string;
  ext_ip: string;
  mac_addr: string;
  alive: string;
  enroll: string;
  isolated: boolean;
  should_isolate: boolean;
  tags: string[];
};

export type ActivityEvent = {
  routing: { event_id: string; event_time: number; event_type: string };
  event: { task_id?: string; sid?: string; attempt?: number; task?: string; error?: string };
};
