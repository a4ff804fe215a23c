/**
 * Repeats a request while partition leaders settle. Just after a topic was created, or a broker was started, a leader may not know
 * yet that it is one, and kafkajs takes some of these answers for final.
 */
import { type Clock, systemClock } from '../../../async/clock.ts';

const TRIES = 150;
const RETRY_MS = 200;
const UNSETTLED = /NOT_LEADER|UNKNOWN_TOPIC|LEADER_NOT_AVAILABLE|COORDINATOR/;

/** Rejects with the last error after thirty seconds, and with any other error at once. */
export async function whileLeadersSettle<T>(
  ask: () => Promise<T>,
  clock: Pick<Clock, 'delay'> = systemClock,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === TRIES || !UNSETTLED.test(String((error as { type?: string }).type))) throw error;
      await clock.delay(RETRY_MS);
    }
  }
}
