/**
 * What is in Redis: the names of all keys, the fields of its hashes, and the letters and words that stand for states and answers.
 * The Lua scripts get the fields, letters and words as constants (luaConstants), so that each is written here and nowhere else.
 *
 * Every key of an org carries the hash tag `{oid}`: an org lives on one shard, and no script uses keys of two orgs.
 */
import type { StoredState, TaskState } from '../../model/states.ts';
import { DONE_WHEN_SENT_MARK } from '../../model/task.ts';
import type { ApplyOutcome, ClaimWord } from '../../projector/projection.ts';
export const keys = {
  /** hash: the marker, with the fields of MARKER */
  marker: (oid: string) => `{${oid}}:m`,
  /** string: the record of a pending task (Avro); expires exactly with the task */
  task: (oid: string, taskId: string) => `{${oid}}:t:${taskId}`,
  /** hash: everything known of a task, pending or ended: the fields of TASK_FIELDS, and for each sid its delivery (see
   *  scripts/prelude.lua). Expires with the retention. */
  record: (oid: string, taskId: string) => `{${oid}}:p:${taskId}`,
  /** zset: pending task ids by expiry, ms */
  pending: (oid: string) => `{${oid}}:ix`,
  /** zset: ended task ids by the time they are forgotten, ms */
  ended: (oid: string) => `{${oid}}:ie`,
  /** zset: expired task ids by the end of the lease to announce TASK_EXPIRED, ms */
  announcing: (oid: string) => `{${oid}}:xq`,
  /** list: the last changes, a letter of CHANGE_LETTERS and a task id; the k-th from the end has version v-k */
  log: (oid: string) => `{${oid}}:log`,
  /** zset: claim batches in flight by the end of their lease, ms */
  inFlight: (oid: string) => `{${oid}}:if`,
  /** hash: sid -> SensorState (Avro), by partition */
  facts: (oid: string, partition: number) => `{${oid}}:f:${partition}`,
  /** hash: sid -> presence row, by partition */
  presence: (oid: string, partition: number) => `{${oid}}:o:${partition}`,
  /** hash: partition -> "matched online", for the answer to `task` */
  counts: (oid: string, taskId: string) => `{${oid}}:q:${taskId}`,
  /** hash: partition -> next offset of `task-events` to count in the minutes */
  counted: (oid: string) => `{${oid}}:sp`,
  /** hash: the counts of one minute since 1970, see src/projector/stats.ts; expires after a day */
  minute: (oid: string, minute: number) => `{${oid}}:sm:${minute}`,
  /** hash: `sid event id` -> the location of the response on `sensor-events`; expires with the record */
  responses: (oid: string, taskId: string) => `{${oid}}:rs:${taskId}`,
  /** hash: partition -> next offset of `sensor-events` to search for responses */
  responsePositions: (oid: string) => `{${oid}}:rp`,
  /** hash: the claim on a setting, `kind/name`, with the fields of SETTING_FIELDS */
  setting: (oid: string, setting: string) => `{${oid}}:s:${setting}`,
  /** string: when the API key of this name was used last, ms */
  used: (oid: string, name: string) => `{${oid}}:u:${name}`,
  /** string: requests in the current window of a credential, which stands instead of the oid */
  rate: (credential: string) => `{${credential}}:rl`,
  /** hash: one suppression count. RULE_COUNT_FIELD: the count; and for each event that was counted, the count before it.
   *  Expires with the period. */
  ruleCount: (oid: string, hash: string) => `{${oid}}:rc:${hash}`,
  /** hash: `hive/name` of a rule -> its last fault; expires a week after the last one */
  ruleFaults: (oid: string) => `{${oid}}:rf`,
  /** hash: `f/NAME` the last failure of an output, `n/NAME` the number of undelivered events; expires a week after the last one */
  outputFailures: (oid: string) => `{${oid}}:of`,
};

/** Pub/sub channel for the oids whose tasks changed. */
export const HINT_CHANNEL = 'reliable-tasking:hint';

/** Fields of the marker. Those that end with a colon are followed by a partition. */
export const MARKER = {
  epoch: 'e',
  /** Run id of the Redis process that the projection is complete for. */
  attestedRun: 'r',
  /** Run id of the Redis process, and the time, of the last begin. */
  begunRun: 'g',
  begunAt: 'b',
  /** Number of changes to pending tasks. */
  version: 'v',
  /** Next offset to apply. */
  commandOffset: 'c:',
  eventOffset: 't:',
  presenceOffset: 's:',
  /** Followed by `c` or `t` and the partition: applied to the end in this epoch. */
  attested: 'k:',
  fencingToken: 'o:',
  /** The owner has caught up with presence in this epoch. */
  live: 'u:',
} as const;

/** Fields of a task's record beside its deliveries: no sid begins with `=`. */
export const TASK_FIELDS = {
  state: '=s',
  expiry: '=x',
  /** When it expired or was removed. */
  endedAt: '=e',
  /** Offset of its command. */
  offset: '=o',
  /** Offset of the UNTASK that removed it. */
  removedBy: '=r',
  contentHash: '=c',
  /** The command in Avro. */
  bytes: '=d',
  /** Present on a task whose deliveries are done when sent. */
  doneWhenSent: '=w',
  /** What a replay keeps of a forgotten task: forgotten-at, content hash, offset. */
  trace: '=g',
} as const;

/** Fields of a claim on a setting: during the claim its token and the end of its lease; after it the etag and the run id. */
export const SETTING_FIELDS = { token: 't', leaseEnd: 'u', etag: 'e', run: 'r' } as const;

export const RULE_COUNT_FIELD = '=';
/** Says that a task has more responses than are kept. */
export const MORE_RESPONSES_FIELD = '=more';

/** In a delivery: no batch in flight; no connection hash and no error code. */
export const NO_BATCH = '-';
export const NO_DETAIL = '0';

export const TASK_LETTERS = { pending: 'p', expired: 'e', removed: 'r' } as const satisfies Record<TaskState, string>;

export const DELIVERY_LETTERS = {
  sent: 's',
  done: 'd',
  failed: 'f',
  removed: 'r',
} as const satisfies Record<StoredState, string>;

/** Task events of a rebuild. */
export const EVENT_LETTERS = { ...DELIVERY_LETTERS, expired: TASK_LETTERS.expired } as const;

/** Commands to apply. */
export const COMMAND_LETTERS = { task: 'T', doneWhenSent: 'W', untask: 'U' } as const;

export const OUTCOME_LETTERS = {
  added: 'a',
  past: 'p',
  same: 's',
  conflict: 'c',
  removed: 'r',
  nothing: 'n',
} as const satisfies Record<ApplyOutcome, string>;

export const CHANGE_LETTERS = { added: '+', removed: '-' } as const;

/** Answers to a claim. `claimed` and `again` are followed by the attempt, `wait` by a time. */
export const CLAIM_LETTERS = {
  claimed: 'c',
  /** The same attempt again: an earlier claim of it was never confirmed. */
  again: 'k',
  wait: 'w',
  settled: 'x',
  gone: 'G',
} as const satisfies Record<ClaimWord['word'] | 'again', string>;

/** Answers to a receipt. */
export const ACK_LETTERS = { first: 'n', repeat: 'o', gone: 'G' } as const;

/** First word of a script's answer. All but OK say why the script did nothing. */
export const ANSWERS = {
  ok: 'OK',
  lost: 'LOST',
  epoch: 'EPOCH',
  notReady: 'NOTREADY',
  fenced: 'FENCED',
  moved: 'MOVED',
  busy: 'BUSY',
} as const;

/** The first part of each constant's name, and its values. */
const CONSTANTS = {
  MARKER,
  FIELD: TASK_FIELDS,
  SETTING: SETTING_FIELDS,
  TASK: TASK_LETTERS,
  DELIVERY: DELIVERY_LETTERS,
  EVENT: EVENT_LETTERS,
  COMMAND: COMMAND_LETTERS,
  OUTCOME: OUTCOME_LETTERS,
  CHANGE: CHANGE_LETTERS,
  CLAIM: CLAIM_LETTERS,
  ACK: ACK_LETTERS,
  ANSWER: ANSWERS,
  RULE: { countField: RULE_COUNT_FIELD },
  RESPONSES: { moreField: MORE_RESPONSES_FIELD },
  NO: { batch: NO_BATCH, detail: NO_DETAIL },
  MARK: { doneWhenSent: DONE_WHEN_SENT_MARK },
} satisfies Record<string, Record<string, string>>;

/** The constants of the scripts, by name: `MARKER_EPOCH` is `e`. */
export const luaConstants: ReadonlyMap<string, string> = new Map(
  Object.entries(CONSTANTS).flatMap(([group, values]) =>
    Object.entries(values).map(([name, value]) => [`${group}_${upperCase(name)}`, value]),
  ),
);

function upperCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The name whose letter this is. An unknown letter is an error: a newer version may have written it. */
export function nameOf<N extends string>(letters: Readonly<Record<N, string>>, letter: string): N {
  for (const name in letters) if (letters[name] === letter) return name;
  throw new Error(`Redis holds ${JSON.stringify(letter)}, which is none of ${Object.values(letters).join(' ')}`);
}
