/** Answers of the API, with the fields that the commands read. Times are Unix ms, `ttl` is in seconds. */
export type TaskAnswer = {
  task_id: string;
  total_sensors?: number;
  tasked_sensors?: number;
  queued_sensors?: number;
};

export type ListedTask = {
  task_id: string;
  task: string;
  sensor_selector: string;
  context?: string | null;
  ttl: number;
  created_at: number;
  expires_at: number;
  issued_by: string;
  acknowledged?: string[];
  acknowledged_count: number;
};

export type ListAnswer = { tasks: ListedTask[]; next_cursor?: string };

export type UntaskAnswer = { deleted: number; tasks?: number };

export type SensorRow = {
  sid: string;
  hostname?: string;
  state: string;
  attempt?: number | null;
  at?: number | null;
  reason?: string | null;
  response_count?: number;
};

export type ResultRow = {
  sid: string;
  hostname: string;
  state: string;
  reason: string;
  response_count: number;
  responses: { event_type: string; at: number; body: string; event?: object }[];
};

export type ResultsAnswer = { sensors: ResultRow[]; complete: boolean; next_cursor?: string };

export type TaskDetails = ListedTask & {
  state: string;
  ended_at?: number;
  counts: Record<string, number>;
  sensors: SensorRow[];
  next_cursor?: string;
};

export type WhyAnswer = { task_id: string; sid: string; state: string; reason: string; sentence: string; at: number };

export type PreviewAnswer = {
  total_sensors: number;
  online_sensors: number;
  sensors: { sid: string; hostname: string; plat: string; online: boolean }[];
  excluded_by: { clause: string; sensors: number }[];
  error_sensors?: number;
  next_cursor?: string;
};

export type ExplainAnswer = {
  result: boolean | 'error';
  clauses: { clause: string; column: number; value: unknown; result: boolean | 'error'; reason?: string }[];
};

export type SensorInfo = {
  sid: string;
  hostname: string;
  plat: number;
  arch: number;
  alive: string;
  enroll: string;
  int_ip: string;
  ext_ip: string;
  should_isolate: boolean;
  is_isolated: boolean;
  tags: string[];
  [field: string]: unknown;
};

export type SensorsPage = { sensors: SensorInfo[]; continuation_token?: string };
export type SensorAnswer = { info: SensorInfo; is_online: boolean };

/** An event of the live stream. */
export type ActivityEvent = {
  routing: { event_type?: string; event_time?: number; [field: string]: unknown };
  event: { task_id?: string; sid?: string; [field: string]: unknown };
};
