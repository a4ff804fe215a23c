/**
 * Whether Redis answers, told at once: by the state of the connection, and by a PING twice a second, because a Redis that is
 * frozen keeps its connections. Nothing else waits for it.
 */
const EVERY_MS = 500;
const SILENT_MS = 1_500;

export type Heartbeat = {
  /** A sentence for people, or null while Redis answers. */
  fault(): string | null;
  /** A PING was asked, and nothing came for so long that another question would wait as well. Not so while it is only us who
   *  did not ask: a process that was stopped knows nothing against Redis. */
  isSilent(): boolean;
  stop(): void;
};

/** `connected`: what the client knows by itself. `ping` may hang or throw. Times in milliseconds, never going back. */
export function startHeartbeat(
  connected: () => boolean,
  ping: () => Promise<unknown>,
  nowMs: () => number = () => performance.now(),
): Heartbeat {
  let answeredAt = nowMs();
  let asking = false;
  let unansweredSince: number | null = null;
  const beat = async (): Promise<void> => {
    if (asking || !connected()) return;
    asking = true;
    unansweredSince ??= nowMs();
    try {
      await ping();
      answeredAt = nowMs();
      unansweredSince = null;
    } catch {
      // Said by `fault`, as silence.
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void beat(), EVERY_MS);
  timer.unref();
  return {
    fault: () => {
      if (!connected()) return 'Redis is not connected';
      const silentMs = nowMs() - answeredAt;
      return silentMs > SILENT_MS ? `Redis has not answered for ${(silentMs / 1_000).toFixed(1)} s` : null;
    },
    isSilent: () => unansweredSince !== null && nowMs() - unansweredSince > SILENT_MS,
    stop: () => clearInterval(timer),
  };
}
