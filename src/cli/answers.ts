/** What the API answers to the commands: the fields that they read. Times are Unix ms, `ttl` seconds. */
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
};

export type TaskDetails = ListedTask & {
  state: string;
  ended_at?: number;
  counts: Record<string, number>;
  sensors: SensorRow[];
  next_cursor?: string;
};

export type WhyAnswer = { task_id: string; sid: string; state: string; reason: string; sentence: string; at: number };

/** An event of the live stream. */
export type ActivityEvent = {
  routing: { event_type?: string; event_time?: number; [field: string]: unknown };
  event: { task_id?: string; sid?: string; [field: string]: unknown };
};
