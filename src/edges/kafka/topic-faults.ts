/** Settings of existing topics that break a guarantee of the system: what is wrong and what to do. Pure. */
import type { Config } from '../../config.ts';
import { retentionMs, TOPICS, type TopicKey, topicConfig } from '../../topics.ts';

type Check = {
  setting: string;
  /** True where the value that was found breaks something. */
  breaks(found: string, wanted: string): boolean;
  so: string;
};

const less = (found: string, wanted: string): boolean => Number(found) < Number(wanted);

const CHECKS: Check[] = [
  {
    setting: 'cleanup.policy',
    breaks: (found, wanted) => found !== wanted,
    so: 'records are dropped, or kept, that must not be',
  },
  {
    setting: 'message.timestamp.type',
    breaks: (found, wanted) => found !== wanted,
    so: "validity, age and the start of a rebuild go by the producers' clocks",
  },
  { setting: 'min.insync.replicas', breaks: less, so: 'a record counts as written that too few brokers have' },
  { setting: 'max.message.bytes', breaks: less, so: 'larger records are refused' },
  {
    setting: 'unclean.leader.election.enable',
    breaks: (found, wanted) => found !== wanted,
    so: 'records that were acknowledged can be lost',
  },
];

export const CHECKED_SETTINGS = ['retention.ms', ...CHECKS.map(({ setting }) => setting)];

/** Sentences about the settings of one topic, as found. A setting that was not found is not judged. */
export function faultsOf(name: string, key: TopicKey, found: Record<string, string>, config: Config): string[] {
  const wanted = topicConfig(TOPICS[key], config);
  const faults: string[] = [];
  for (const { setting, breaks, so } of CHECKS) {
    const [is, should] = [found[setting], wanted[setting]];
    if (is === undefined || should === undefined || !breaks(is, should)) continue;
    faults.push(`${name} has ${setting}=${is}; set it to ${should}, or ${so}.`);
  }
  const least = retentionMs(TOPICS[key], config);
  const kept = Number(found['retention.ms'] ?? -1);
  if (least > 0 && kept >= 0 && kept < least) {
    faults.push(
      `${name} keeps records for ${kept} ms; set retention.ms to at least ${least}, or a rebuild forgets what was dropped.`,
    );
  }
  return faults;
}
