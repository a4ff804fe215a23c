/**
 * Membership in a consumer group whose positions are ours, not the group's: they stand in the projection. The role commits by
 * `commit`, after its effects.
 *
 * kafkajs can hang for ever while it joins again, without a word. So a member that is silent for much longer than the group
 * may take to settle, although Kafka answers, is given up, and another one takes its place.
 */
import { withinMs } from '../../../../async/within-ms.ts';
import { unavailable } from '../../../../errors.ts';
import type { Group } from '../../../../ports.ts';
import type { MemberOptions } from './batch.ts';
import { GroupHealth } from './health.ts';
import { groupMember } from './member.ts';

const STOP_MS = 10_000;
/** Two rebalances that take all the time they may (each two sessions), and what lies around them. */
const silenceLimitMs = (sessionMs: number): number => 4 * sessionMs + 5_000;

/** `start` resolves when it has joined, and rejects, leaving nothing behind, when it cannot or is stopped before that. */
export type StartableGroup = Group<string> & { start(): Promise<void> };

export function createGroup(options: MemberOptions): StartableGroup {
  const { groupId, topics, sessionMs, log, clock, low } = options;
  let health = new GroupHealth(clock.monoMs());
  let member = groupMember(options, health);
  let stopped = false;
  let callOff = () => {};
  let goOn = () => {};
  const replace = async (): Promise<void> => {
    // As long as Kafka is away every other consumer would be as silent.
    await low(topics[0] as string, 0);
    if (stopped || !isSilent()) return;
    log.warn({ groupId }, 'a consumer hangs; another one takes its place');
    void member.stop();
    health = new GroupHealth(clock.monoMs());
    member = groupMember(options, health);
    member.startAnyTime();
    goOn();
  };
  const isSilent = () => health.silentMs(clock.monoMs()) > silenceLimitMs(sessionMs);
  const watch = (): void => {
    callOff = clock.after(sessionMs, () => {
      const looked = isSilent() ? replace() : Promise.resolve();
      looked
        .catch((err) => log.debug({ err, groupId }, 'Kafka does not answer'))
        .finally(() => {
          if (!stopped) watch();
        });
    });
  };
  // The first join too can hang; then it is the next member that is waited for, by whoever asks whether it has joined.
  const replaced = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const stop = async (): Promise<void> => {
    stopped = true;
    callOff();
    goOn();
    await withinMs(STOP_MS, member.stop(), () => undefined, clock);
  };
  return {
    start: async () => {
      watch();
      try {
        await Promise.race([member.start(), replaced]);
      } catch (error) {
        await stop();
        throw error;
      }
      if (stopped) throw unavailable(`The group ${groupId} was left before it was joined.`);
    },
    joined: () => member.joined(),
    fault: () => health.fault(member.holds(), clock.monoMs()),
    commit: (...next) => member.commit(...next),
    seek: (...place) => member.seek(...place),
    stop,
  };
}
