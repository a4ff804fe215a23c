/** What the API answers. Made from its description by `npm run console:types`; changes belong there. */

export type GetV1HiveHiveOidAnswer =
  | {
      records: {
        [k: string]: {
          data: {
            [k: string]: unknown;
          };
          usr_mtd: {
            enabled: boolean;
            expiry: number;
            tags: string[];
            comment: string;
          };
          sys_mtd: {
            etag: string;
            created_at: number;
            created_by: string;
            guid: string;
            author: string;
            last_author: string;
            last_mod: number;
            last_error: string;
            last_error_ts: number;
          };
        };
      };
      next_cursor: string;
    }
  | {
      [k: string]: {
        data: {
          [k: string]: unknown;
        };
        usr_mtd: {
          enabled: boolean;
          expiry: number;
          tags: string[];
          comment: string;
        };
        sys_mtd: {
          etag: string;
          created_at: number;
          created_by: string;
          guid: string;
          author: string;
          last_author: string;
          last_mod: number;
          last_error: string;
          last_error_ts: number;
        };
      };
    };
export type GetV1WhoAnswer =
  | {
      orgs: string[];
      perms: string[];
    }
  | {
      orgs: string[];
      user_perms: {
        [k: string]: string[];
      };
    };

export interface Error {
  error: string;
  error_code: string;
  retriable: boolean;
  version: 1;
  data: {};
}
export interface Activity {
  routing: {
    oid: string;
    sid: string;
    event_type: string;
    event_time: number;
    event_id: string;
    hostname: string;
    plat: number;
    arch: number;
    ext_ip: string;
    int_ip: string;
    tags: string[];
  };
  event: {
    task_id: string;
    sid?: string;
    attempt?: number;
    investigation_id?: string;
    task?: string;
    selector?: string;
    context?: string | null;
    ttl?: number;
    issued_by?: string;
    expires_at?: number;
    error?: string;
    error_code?: unknown;
  };
}
export interface TaskAnswer {
  task_id: string;
  total_sensors: number;
  tasked_sensors: number;
  queued_sensors: number;
}
export interface TaskAccepted {
  task_id: string;
}
export interface ListAnswer {
  tasks: {
    task_id: string;
    task: string;
    sensor_selector: string;
    context: string | null;
    ttl: number;
    created_at: number;
    expires_at: number;
    issued_by: string;
    acknowledged: string[];
    acknowledged_count: number;
  }[];
  next_cursor?: string;
}
export interface UntaskAnswer {
  deleted: number;
  tasks: number;
}
export interface UntaskAccepted {
  task_id?: string;
}
export interface GetAnswer {
  task_id: string;
  task: string;
  sensor_selector: string;
  context: string | null;
  ttl: number;
  created_at: number;
  expires_at: number;
  issued_by: string;
  acknowledged: string[];
  acknowledged_count: number;
  state: 'pending' | 'expired' | 'removed';
  ended_at?: number;
  counts: {
    queued: number;
    sent: number;
    expired: number;
    removed: number;
    done: number;
    failed: number;
  };
  sensors: {
    sid: string;
    hostname: string;
    state: 'queued' | 'sent' | 'expired' | 'removed' | 'done' | 'failed';
    attempt: number;
    at: number;
    reason: string;
    response_count: number;
  }[];
  next_cursor?: string;
}
export interface WhyAnswer {
  task_id: string;
  sid: string;
  state: 'queued' | 'sent' | 'expired' | 'removed' | 'done' | 'failed' | 'none';
  reason: string;
  sentence: string;
  at: number;
}
export interface PreviewAnswer {
  total_sensors: number;
  online_sensors: number;
  sensors: {
    sid: string;
    hostname: string;
    plat: string;
    online: boolean;
  }[];
  excluded_by: {
    clause: string;
    sensors: number;
  }[];
  error_sensors?: number;
  next_cursor?: string;
}
export interface ExplainAnswer {
  result: boolean | 'error';
  clauses: {
    clause: string;
    column: number;
    value: unknown;
    result: boolean | 'error';
    reason?: string;
  }[];
}
export interface SignalAttemptAnswer {
  sid: string;
  online: boolean;
}
export interface SignalAttemptAccepted {
  sid: string;
  online: boolean;
}
export interface SignalReceivedAnswer {
  sid: string;
  task_id: string;
}
export interface SignalReceivedAccepted {
  sid: string;
  task_id: string;
}
export interface Result {
  sid: string;
  hostname: string;
  state: 'queued' | 'sent' | 'expired' | 'removed' | 'done' | 'failed';
  attempt: number;
  at: number;
  reason: string;
  response_count: number;
  receipt: {
    at: number;
    error: string;
  } | null;
  response: {
    event_id: string;
    event_type: string;
    at: number;
    bytes: number;
    body: 'kept' | 'gone' | 'too_large' | 'too_deep';
    routing?: {
      [k: string]: unknown;
    };
    event?: {
      [k: string]: unknown;
    };
  } | null;
}
export interface PostAnswer {
  jwt: string;
}
export interface PostJwtAnswer {
  jwt: string;
}
export interface GetV1ServiceOidAnswer {
  replicants: string[];
}
export interface GetV1SensorsOidAnswer {
  sensors: {
    oid: string;
    sid: string;
    iid: string;
    did: string;
    hostname: string;
    plat: number;
    ext_plat: number;
    arch: number;
    enroll: string;
    alive: string;
    int_ip: string;
    ext_ip: string;
    mac_addr: string;
    isolated: boolean;
    is_isolated: boolean;
    should_isolate: boolean;
    kernel: boolean;
    tags: string[];
  }[];
  continuation_token?: string;
}
export interface GetV1SidAnswer {
  info: {
    oid: string;
    sid: string;
    iid: string;
    did: string;
    hostname: string;
    plat: number;
    ext_plat: number;
    arch: number;
    enroll: string;
    alive: string;
    int_ip: string;
    ext_ip: string;
    mac_addr: string;
    isolated: boolean;
    is_isolated: boolean;
    should_isolate: boolean;
    kernel: boolean;
    tags: string[];
  };
  online: {
    [k: string]: unknown;
  };
  is_online: boolean;
}
export interface PostV1OnlineOidAnswer {
  [k: string]: boolean;
}
export interface GetV1SidTasksAnswer {
  tasks: {
    task_id: string;
    task: string;
    issued_by: string;
    state: 'queued' | 'sent' | 'expired' | 'removed' | 'done' | 'failed';
    attempt: number;
    at: number;
    reason: string;
  }[];
  complete: boolean;
}
export interface GetV1SidTagsAnswer {
  tags: {
    [k: string]: {
      [k: string]: string[];
    };
  };
}
export interface GetV1TagsOidAnswer {
  tags: string[];
}
export interface GetV1TagsOidTagAnswer {
  [k: string]: {
    sid: string;
    hostname: string;
  };
}
export interface GetV1OrgsOidTasksTaskIdResultsAnswer {
  task_id: string;
  complete: boolean;
  sensors: {
    sid: string;
    hostname: string;
    state: 'queued' | 'sent' | 'expired' | 'removed' | 'done' | 'failed';
    attempt: number;
    at: number;
    reason: string;
    response_count: number;
    receipt: {
      at: number;
      error: string;
    } | null;
    responses: {
      event_id: string;
      event_type: string;
      at: number;
      bytes: number;
      body: 'kept' | 'gone' | 'too_large' | 'too_deep';
      routing?: {
        [k: string]: unknown;
      };
      event?: {
        [k: string]: unknown;
      };
    }[];
  }[];
  next_cursor?: string;
}
export interface GetV1OrgsOidStatsAnswer {
  minutes: number[];
  online: (number | null)[];
  queued: number[];
  sent: number[];
  done: number[];
  failed: number[];
  expired: number[];
  removed: number[];
  latency_p50: (number | null)[];
  latency_p99: (number | null)[];
  backlog: {
    up_to_seconds: number | null;
    tasks: number;
  }[];
}
export interface GetV1HiveHiveSchemaAnswer {
  schema: unknown;
}
export interface GetV1HiveHiveOidNameDataAnswer {
  data: {
    [k: string]: unknown;
  };
  usr_mtd: {
    enabled: boolean;
    expiry: number;
    tags: string[];
    comment: string;
  };
  sys_mtd: {
    etag: string;
    created_at: number;
    created_by: string;
    guid: string;
    author: string;
    last_author: string;
    last_mod: number;
    last_error: string;
    last_error_ts: number;
  };
}
export interface PostV1HiveHiveOidNameDataAnswer {
  guid: string;
  hive: {
    name: string;
    partition: string;
  };
  name: string;
}
export interface GetV1HiveHiveOidNameMtdAnswer {
  data: {
    [k: string]: unknown;
  };
  usr_mtd: {
    enabled: boolean;
    expiry: number;
    tags: string[];
    comment: string;
  };
  sys_mtd: {
    etag: string;
    created_at: number;
    created_by: string;
    guid: string;
    author: string;
    last_author: string;
    last_mod: number;
    last_error: string;
    last_error_ts: number;
  };
}
export interface PostV1HiveHiveOidNameMtdAnswer {
  guid: string;
  hive: {
    name: string;
    partition: string;
  };
  name: string;
}
export interface PostV1HiveHiveOidNameRenameAnswer {
  guid: string;
  hive: {
    name: string;
    partition: string;
  };
  name: string;
}
export interface GetV1OrgsOidDetectionsAnswer {
  detections: {
    detect_id: string;
    sid: string | null;
    cat: string;
    source: string;
    priority: number | null;
    occurred_at: number;
    body: unknown;
  }[];
}
export interface GetV1OrgsOidOutputsAnswer {
  outputs: {
    [k: string]: unknown;
  };
}
export interface GetV1UserOrgsAnswer {
  orgs: {
    oid: string;
    name: string;
  }[];
  total: number;
}
export interface GetV1OrgsOidSubscriptionsAnswer {
  [k: string]: {
    name: string;
    subscribed_at: number;
  };
}
