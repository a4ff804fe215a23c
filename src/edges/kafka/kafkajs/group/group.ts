/**
 * Membership in a consumer group. The positions are those of the projection, not those of the group. The role calls `commit` after
 * its effects.
 *
 * A rejoin of kafkajs can hang forever, without an event. A member that is silent for much longer than a rebalance can take, although
 * Kafka answers, is therefore stopped and replaced.
 */
import { withinMs } from '../../../../async/within-ms.ts';
import { unavailable } from '../../../../errors.ts';
import type { Group } from '../../../../ports.ts';
import type { MemberOptions } from './batch.ts';
import { GroupHealth } from './health.ts';
import { groupMember } from './member.ts';

const STOP_MS = 10_000;
/** Two rebalances of maximum duration (two sessions each), and some time around them. */
const silenceLimitMs = (sessionMs: number): number => 4 * sessionMs + 5_000;

/** `start` resolves when it has joined. It rejects when it cannot join or is stopped before, and then leaves nothing open. */
export type StartableGroup = Group<string> & { start(): Promise<void> };

export function createGroup(options: MemberOptions): StartableGroup {
  const { groupId, topics, sessionMs, log, clock, low } = options;
  let health = new GroupHealth(clock.monoMs());
  let member = groupMember(options, health);
  let stopped = false;
  let cancel = () => {};
  let endWait = () => {};
  const replace = async (): Promise<void> => {
    // While Kafka is away, any other consumer would be as silent.
    await low(topics[0] as string, 0);
    if (stopped || !isSilent()) return;
    log.warn({ groupId }, 'consumer silent although Kafka answers; a new one replaces it');
    void member.stop();
    health = new GroupHealth(clock.monoMs());
    member = groupMember(options, health);
    member.startAnyTime();
    endWait();
  };
  const isSilent = () => health.silentMs(clock.monoMs()) > silenceLimitMs(sessionMs);
  const watch = (): void => {
    cancel = clock.after(sessionMs, () => {
      const looked = isSilent() ? replace() : Promise.resolve();
      looked
        .catch((err) =>
          log.debug(
            { err, groupId },
            'silent consumer not replaced: Kafka does not answer; checked again after a session timeout',
          ),
        )
        .finally(() => {
          if (!stopped) watch();
        });
    });
  };
  // The first join can hang, too. Then `start` resolves, and `joined` says when the next member has joined.
  const replaced = new Promise<void>((resolve) => {
    endWait = resolve;
  });
  const stop = async (): Promise<void> => {
    stopped = true;
    cancel();
    endWait();
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
    seek: (...position) => member.seek(...position),
    stop,
  };
}
