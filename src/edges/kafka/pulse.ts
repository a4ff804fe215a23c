/**
 * Whether Kafka answers, known before anybody asks: a broker is asked once a second. Who would write to a Kafka that is away is
 * refused at once by it, where kafkajs tries for seconds. An answer that is late says nothing yet; silence does.
 */
import type { Admin, Kafka } from 'kafkajs';
import { unavailable } from '../../errors.ts';
import type { Producer } from './producer.ts';

const EVERY_MS = 1_000;
const SILENT_MS = 2_500;

export type Pulse = {
  /** A sentence for people, or null while Kafka answers. */
  fault(): string | null;
  /** The work, which rejects at once with `unavailable` while Kafka is known to be away. */
  guard<A extends unknown[], R>(work: (...args: A) => Promise<R>): (...args: A) => Promise<R>;
  stop(): Promise<void>;
};

export function startPulse(kafka: Kafka, nowMs: () => number = () => performance.now()): Pulse {
  let answeredAt = nowMs();
  let admin: Admin | null = null;
  let beating: Promise<void> | null = null;
  const beat = async (): Promise<void> => {
    try {
      if (admin === null) {
        admin = kafka.admin({ retry: { retries: 0 } });
        await admin.connect();
      }
      await admin.describeCluster();
      answeredAt = nowMs();
    } catch {
      // Said by `fault`, as silence. A client that has failed once is not asked again.
      const failed = admin;
      admin = null;
      await failed?.disconnect().catch(() => undefined);
    }
  };
  const timer = setInterval(() => {
    beating ??= beat().finally(() => {
      beating = null;
    });
  }, EVERY_MS);
  timer.unref();
  const fault = (): string | null => {
    const silentMs = nowMs() - answeredAt;
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
      clearInterval(timer);
      await beating;
      await admin?.disconnect();
    },
  };
}

/** The producer, which refuses at once while Kafka is known to be away. */
export const refusingWhileAway = (producer: Producer, { guard }: Pulse): Producer => ({
  send: guard(producer.send),
  sendWhatFits: guard(producer.sendWhatFits),
  logOffset: guard(producer.logOffset),
  stop: () => producer.stop(),
});
