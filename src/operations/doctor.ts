/**
 * The findings of `doctor`: each is ok, warn or fail, with advice. It takes what the edges found and does no I/O. Pure.
 */
import { counted } from '../text/counted.ts';

/** `counts`: the counts of the finding by name, for programs. */
export type Finding = {
  area: string;
  level: 'ok' | 'warn' | 'fail';
  finding: string;
  advice: string;
  counts?: Record<string, number>;
};

const ok = (area: string, finding: string): Finding => ({ area, level: 'ok', finding, advice: '' });
const warn = (area: string, finding: string, advice: string): Finding => ({ area, level: 'warn', finding, advice });
const fail = (area: string, finding: string, advice: string): Finding => ({ area, level: 'fail', finding, advice });

export const failed = (area: string, error: unknown, advice: string): Finding =>
  fail(area, error instanceof Error ? error.message : String(error), advice);

export const judgeConfig = (faults: string[]): Finding[] =>
  faults.length === 0
    ? [ok('settings', 'valid')]
    : faults.map((fault) => fail('settings', fault, 'Correct the environment variable.'));

export function judgeBrokers(brokers: number, replication: number): Finding {
  const found = `${counted(brokers, 'broker')} answer${brokers === 1 ? 's' : ''}`;
  if (brokers < replication)
    return fail(
      'kafka',
      `${found}; TOPIC_REPLICATION is ${replication}`,
      'Start more brokers, or lower TOPIC_REPLICATION.',
    );
  return brokers < 3
    ? warn(
        'kafka',
        found,
        'In production, run three brokers with TOPIC_REPLICATION=3, so that no record is lost with a broker.',
      )
    : ok('kafka', found);
}

export function judgeTopics(missing: string[], warnings: string[], created: boolean): Finding[] {
  const findings = warnings.map((warning) =>
    warn('topics', warning, 'Change it with kafka-configs --alter. No restart is needed.'),
  );
  if (missing.length > 0)
    findings.push(
      created
        ? warn('topics', `missing: ${missing.join(', ')}`, 'serve and topics create create them.')
        : fail('topics', `missing: ${missing.join(', ')}`, 'Create them: TOPICS_CREATE is false.'),
    );
  return findings.length > 0 ? findings : [ok('topics', 'all exist, with correct settings')];
}

/** Above this lag, a group does not keep up. */
const LAG_WARN = 10_000;

/** `role` runs the group. If `needed` is false, tasks are delivered without it. */
export type GroupFacts = { name: string; role: string; needed: boolean; members: number; lag: number };

export function judgeGroup({ name, role, needed, members, lag }: GroupFacts): Finding {
  const found = `${name}: ${counted(members, 'member')}, ${counted(lag, 'record')} behind`;
  if (members === 0)
    return needed
      ? fail('groups', found, `Run serve --roles ${role}.`)
      : warn('groups', found, `Tasks are delivered without it. To run it: serve --roles ${role}.`);
  if (lag > LAG_WARN)
    return warn('groups', found, 'Wait until it catches up, or start more processes of the role. See rebuild --watch.');
  return ok('groups', found);
}

/** Dead letters of the last `hours` by error code, and the number of unread ones. */
export type DeadLetterFacts = { byCode: Record<string, number>; unread: number; hours: number };

/** `rt`: the name of the command line. */
export function judgeDeadLetters({ byCode, unread, hours }: DeadLetterFacts, rt: string): Finding {
  const codes = Object.entries(byCode).toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const read = codes.reduce((sum, [, count]) => sum + count, 0);
  if (read + unread === 0) return ok('dead letters', `none in the last ${hours} h`);
  const part = unread === 0 ? '' : `, of the newest ${read}`;
  const which = read === 0 ? '' : `${part}: ${codes.map((one) => one.join(' ')).join(', ')}`;
  const found = `${read + unread} in the last ${hours} h${which}`;
  const advice = `See them with ${rt} dead-letter list --since ${hours}h. Fix the producer, then redrive them.`;
  return { ...warn('dead letters', found, advice), counts: byCode };
}

export type RedisFacts = {
  version: string;
  /** null: not permitted to read it. */
  policy: string | null;
  usedBytes: number;
  /** 0: no limit. */
  maxBytes: number;
  /** The clock of Redis minus the local clock, ms. */
  skewMs: number;
};

const SKEW_WARN_MS = 1_000;
const FULL = 0.8;

export function judgeRedis({ version, policy, usedBytes, maxBytes, skewMs }: RedisFacts): Finding[] {
  const findings: Finding[] = [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 2))
    findings.push(fail('redis', `version ${version}`, 'Scripts need 6.2 or newer.'));
  if (policy === null)
    findings.push(
      warn(
        'redis',
        'maxmemory-policy is not known',
        'It must be noeviction. Allow CONFIG GET so that doctor can check it.',
      ),
    );
  else if (policy !== 'noeviction')
    findings.push(
      (maxBytes > 0 ? fail : warn)(
        'redis',
        `maxmemory-policy ${policy}`,
        'Set noeviction: an evicted key is a lost task.',
      ),
    );
  if (maxBytes > 0 && usedBytes > FULL * maxBytes)
    findings.push(
      warn(
        'redis',
        `${Math.round((100 * usedBytes) / maxBytes)} % of maxmemory are used`,
        'Raise maxmemory. A full Redis accepts no tasks.',
      ),
    );
  if (Math.abs(skewMs) > SKEW_WARN_MS)
    findings.push(
      warn(
        'redis',
        `the clock is ${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'ahead of' : 'behind'} the clock of this machine`,
        'Run NTP on both: Redis decides about expiry.',
      ),
    );
  return findings.length > 0
    ? findings
    : [ok('redis', `version ${version}, ${policy}, clock within ${SKEW_WARN_MS} ms`)];
}

export function judgeProjection(orgs: number, usable: number): Finding {
  if (orgs === 0) return warn('projection', 'no org was ever subscribed', 'Create one: BOOTSTRAP_OID, or orgs create.');
  return usable === orgs
    ? ok('projection', `complete for ${counted(orgs, 'org')}`)
    : warn(
        'projection',
        `complete for ${usable} of ${counted(orgs, 'org')}`,
        'A running projector rebuilds it. See rebuild --watch.',
      );
}

export function judgeSubject(subject: string, state: string, level: string | null): Finding {
  if (state === 'incompatible')
    return fail(
      'schemas',
      `${subject}: the schema of this version is not compatible with the registry`,
      'Check who else registers schemas under this subject.',
    );
  if (level === 'NONE')
    return warn('schemas', `${subject}: the compatibility level is NONE`, 'schemas register sets BACKWARD.');
  return state === 'registered'
    ? ok('schemas', `${subject}: registered`)
    : warn('schemas', `${subject}: not registered yet`, 'serve and schemas register do it.');
}
