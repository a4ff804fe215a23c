/**
 * The names of all keys. Every key of an org carries the hash tag `{oid}`: an org lives on one shard, and no script touches
 * two orgs. See docs/ARCHITECTURE.md for what each holds.
 */
export const keys = {
  /** hash: the marker. e epoch · r attested run id · g, b run id and time of the last begin · v change counter ·
   *  c:P, t:P, s:P next offsets of commands, task events, presence · k:cP, k:tP attested · o:P owner token ·
   *  u:P caught up with presence in this epoch */
  marker: (oid: string) => `{${oid}}:m`,
  /** string: the pending task's record (Avro); expires exactly with the task */
  task: (oid: string, taskId: string) => `{${oid}}:t:${taskId}`,
  /** hash: everything known of a task, pending or ended: `=s =x =e =o =r =c =d =w` and one field a sid; expires with the retention */
  record: (oid: string, taskId: string) => `{${oid}}:p:${taskId}`,
  /** zset: pending task ids by expiry, ms */
  pending: (oid: string) => `{${oid}}:ix`,
  /** zset: ended task ids by the time they are forgotten, ms */
  ended: (oid: string) => `{${oid}}:ie`,
  /** zset: expired task ids by the lease of who announces TASK_EXPIRED, ms */
  announcing: (oid: string) => `{${oid}}:xq`,
  /** list: the last changes, `+ID` and `-ID`; the k-th from the end has version v-k */
  log: (oid: string) => `{${oid}}:log`,
  /** zset: batches of claims in flight by the end of their lease, ms */
  inFlight: (oid: string) => `{${oid}}:if`,
  /** hash: sid -> SensorState (Avro), by partition */
  facts: (oid: string, partition: number) => `{${oid}}:f:${partition}`,
  /** hash: sid -> presence row, by partition */
  presence: (oid: string, partition: number) => `{${oid}}:o:${partition}`,
  /** hash: partition -> "matched online", for the answer to `task` */
  counts: (oid: string, taskId: string) => `{${oid}}:q:${taskId}`,
  /** hash: partition -> next offset of `task-events` to count in the minutes */
  counted: (oid: string) => `{${oid}}:sp`,
  /** hash: what happened in a minute since 1970, see projection/stats.ts; goes after a day */
  minute: (oid: string, minute: number) => `{${oid}}:sm:${minute}`,
  /** hash: `sid event id` -> where the response stands on `sensor-events`; goes with the record */
  responses: (oid: string, taskId: string) => `{${oid}}:rs:${taskId}`,
  /** hash: partition -> next offset of `sensor-events` to look through for responses */
  responsePositions: (oid: string) => `{${oid}}:rp`,
  /** hash: who is writing a setting, `kind/name`. t token · u end of its lease, ms; else e etag last settled · r run id then */
  setting: (oid: string, place: string) => `{${oid}}:s:${place}`,
  /** string: when the API key of this name was used last, ms */
  used: (oid: string, name: string) => `{${oid}}:u:${name}`,
  /** string: requests in the present window of a credential, which takes the place of the oid */
  rate: (credential: string) => `{${credential}}:rl`,
  /** hash: one count of suppression. `=` the count, and for each time that counted first the count before it; ends with the period */
  ruleCount: (oid: string, hash: string) => `{${oid}}:rc:${hash}`,
  /** hash: `hive/name` of a rule -> its last fault; goes a week after the last one */
  ruleFaults: (oid: string) => `{${oid}}:rf`,
  /** hash: `f/NAME` the last failure of an output, `n/NAME` how many events it was not given; goes a week after the last one */
  outputFailures: (oid: string) => `{${oid}}:of`,
};

/** Pub/sub channel that carries oids whose tasks changed. */
export const HINT_CHANNEL = 'reliable-tasking:hint';
