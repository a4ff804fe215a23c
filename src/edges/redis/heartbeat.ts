/**
 * Whether Redis answers, known at once: by the state of the connection, and by a PING twice a second, because a frozen Redis
 * keeps its connections. Nothing else waits for the PING.
 */
import type { TimeSource } from '../../async/clock.ts';

const PING_EVERY_MS = 500;
const SILENT_MS = 1_500;

export type Heartbeat = {
  /** A sentence for people, or null while Redis answers. */
  fault(): string | null;
  /** A PING has had no answer for so long that another command would wait as well. False while this process has sent none: after
   *  a pause of the process nothing is known about Redis. */
  isSilent(): boolean;
  stop(): void;
};

/** `connected`: what the client knows by itself. `ping` may hang or throw. */
export function startHeartbeat(
  connected: () => boolean,
  ping: () => Promise<unknown>,
  clock: Pick<TimeSource, 'after' | 'monoMs'>,
): Heartbeat {
  let answeredAtMs = clock.monoMs();
  let pinging = false;
  let unansweredSinceMs: number | null = null;
  let cancel = () => {};
  const beat = async (): Promise<void> => {
    if (pinging || !connected()) return;
    pinging = true;
    unansweredSinceMs ??= clock.monoMs();
    try {
      await ping();
      answeredAtMs = clock.monoMs();
      unansweredSinceMs = null;
    } catch {
      // `fault` reports it, as silence.
    } finally {
      pinging = false;
    }
  };
  const schedule = (): void => {
    cancel = clock.after(PING_EVERY_MS, () => {
      schedule();
      void beat();
    });
  };
  schedule();
  return {
    fault: () => {
      if (!connected()) return 'Redis is not connected';
      const silentMs = clock.monoMs() - answeredAtMs;
      return silentMs > SILENT_MS ? `Redis has not answered for ${(silentMs / 1_000).toFixed(1)} s` : null;
    },
    isSilent: () => unansweredSinceMs !== null && clock.monoMs() - unansweredSinceMs > SILENT_MS,
    stop: () => cancel(),
  };
}
