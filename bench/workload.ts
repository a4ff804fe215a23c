/**
 * The fleet and the tasks of the joiner benchmark. The same sizes give the same fleet: only connections are new each time.
 *
 * Of the tasks of an org 85 % are for one sensor by `sid ==`, 10 % for all that carry one tag, 5 % for the Windows sensors
 * that carry one. There are as many groups (tags) as make a connect find about 0.65 pending tasks, whatever the sizes.
 */
import { createHash } from 'node:crypto';
import type { SensorFacts, SensorPresence, TaskCommand } from '../src/model/records.ts';

export type Sizes = { orgs: number; tasks: number; sensors: number };

export type BenchSensor = { oid: string; sid: string; facts: SensorFacts };

const WINDOWS = 0x10000000;
const LINUX = 0x20000000;
const MACOS = 0x30000000;
const X64 = 2;
const TTL_SECONDS = 86_400;
const ENROLLED_AT_MS = 1_700_000_000_000;

/** A UUID that follows from its name. */
const uuidOf = (name: string): string => {
  const hex = createHash('md5').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};

const groupsOf = ({ orgs, tasks }: Sizes): number => Math.max(1, Math.round(tasks / orgs / 5));

/** Sensor `i`; sensors are dealt out to the orgs in turn. `oids` one each org. */
export function sensorAt(i: number, oids: readonly string[], sizes: Sizes): BenchSensor {
  const group = Math.floor(i / sizes.orgs) % groupsOf(sizes);
  return {
    oid: oids[i % sizes.orgs] as string,
    sid: uuidOf(`sensor ${i}`),
    facts: factsOf(i, [`group-${group}`, `site-${i % 37}`]),
  };
}

export function factsOf(i: number, tags: string[]): SensorFacts {
  return {
    iid: uuidOf(`installer ${i % 16}`),
    did: uuidOf(`device ${i}`),
    hostname: `host-${i}.example.org`,
    ext_ip: `203.0.113.${i % 254}`,
    int_ip: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    mac_addr: '00-16-3e-00-00-01',
    plat: [WINDOWS, WINDOWS, WINDOWS, LINUX, MACOS][i % 5] as number,
    ext_plat: 0,
    arch: X64,
    enroll: ENROLLED_AT_MS,
    isolated: false,
    should_isolate: false,
    kernel: true,
    tags,
  };
}

/** The tasks of all orgs. */
export function tasksFor(oids: readonly string[], sizes: Sizes, issuedAtMs: number): TaskCommand[] {
  const groups = groupsOf(sizes);
  return Array.from({ length: sizes.tasks }, (_, i) => {
    const [org, n] = [i % sizes.orgs, Math.floor(i / sizes.orgs)];
    return taskOf(oids[org] as string, `task-${i}`, selectorOf(n, org, groups, oids, sizes), issuedAtMs);
  });
}

function selectorOf(n: number, org: number, groups: number, oids: readonly string[], sizes: Sizes): string {
  const group = Math.floor(n / 10) % groups;
  if (n % 10 === 0) return `"group-${group}" in tags`;
  if (n % 20 === 5) return `plat == windows and "group-${(group + Math.floor(groups / 2)) % groups}" in tags`;
  const perOrg = Math.floor(sizes.sensors / sizes.orgs);
  return `sid == "${sensorAt(((n * 7919) % perOrg) * sizes.orgs + org, oids, sizes).sid}"`;
}

export const taskOf = (oid: string, taskId: string, selector: string, issuedAtMs: number): TaskCommand => ({
  action: 'TASK',
  oid,
  task_id: taskId,
  task: 'history_dump',
  selector,
  context: 'bench',
  ttl: TTL_SECONDS,
  issued_at: issuedAtMs,
  issued_by: 'bench',
  untask_selector: null,
  options: null,
});

export const connected = ({ oid, sid, facts }: BenchSensor, connectionId: string, nowMs: number): SensorPresence => ({
  event: 'CONNECTED',
  oid,
  sid,
  connection_id: connectionId,
  occurred_at: nowMs,
  sensor: facts,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
});
