/**
 * Whether Kafka answers, known before anybody asks: a broker is asked once a second. While Kafka is away, `guard` refuses writes
 * at once; kafkajs would try for seconds. A late answer proves nothing; silence does.
 */
import type { Admin, Kafka } from 'kafkajs';
import type { TimeSource } from '../../../async/clock.ts';
import { unavailable } from '../../../errors.ts';
import type { Producer } from '../producer.ts';

const BEAT_EVERY_MS = 1_000;
const SILENT_MS = 2_500;

export type Pulse = {
  /** A sentence for people, or null while Kafka answers. */
  fault(): string | null;
  /** The work, which rejects at once with `unavailable` while Kafka is known to be away. */
  guard<A extends unknown[], R>(work: (...args: A) => Promise<R>): (...args: A) => Promise<R>;
  stop(): Promise<void>;
};

export function startPulse(kafka: Pick<Kafka, 'admin'>, clock: Pick<TimeSource, 'after' | 'monoMs'>): Pulse {
  let answeredAtMs = clock.monoMs();
  let admin: Admin | null = null;
  let beating: Promise<void> | null = null;
  let cancel = () => {};
  const beat = async (): Promise<void> => {
    try {
      if (admin === null) {
        admin = kafka.admin({ retry: { retries: 0 } });
        await admin.connect();
      }
      await admin.describeCluster();
      answeredAtMs = clock.monoMs();
    } catch {
      // `fault` reports it, as silence. A client of kafkajs that has failed once is not used again.
      const failed = admin;
      admin = null;
      await failed?.disconnect().catch(() => undefined);
    }
  };
  const schedule = (): void => {
    cancel = clock.after(BEAT_EVERY_MS, () => {
      schedule();
      beating ??= beat().finally(() => {
        beating = null;
      });
    });
  };
  schedule();
  const fault = (): string | null => {
    const silentMs = clock.monoMs() - answeredAtMs;
    return silentMs > SILENT_MS ? `Kafka has not answered for ${(silentMs / 1_000).toFixed(1)} s` : null;
  };
  return {
    fault,
    guard:
      (work) =>
      async (...args) => {
        const away = fault();
        if (away !== null) throw unavailable(`${away}.`);
        return work(...args);
      },
    stop: async () => {
      cancel();
      await beating;
      await admin?.disconnect();
    },
  };
}

/** The producer, which refuses at once while Kafka is known to be away. */
export const refusingWhileAway = (producer: Producer, { guard }: Pulse): Producer => ({
  send: guard(producer.send),
  sendWhatFits: guard(producer.sendWhatFits),
  append: guard(producer.append),
  stop: () => producer.stop(),
});
