/** The meaning of an error of kafkajs, which may be wrapped in others. */

/** kafkajs takes these for final, because it has retried for a while. Another try later may succeed. */
const GIVEN_UP = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSGroupCoordinatorNotFound', 'KafkaJSTimeout']);

/** Whether Kafka cannot be reached now. */
export function isKafkaAway(error: Error): boolean {
  if (!error.name.startsWith('KafkaJS')) return false;
  return GIVEN_UP.has(error.name) || (error as Error & { retriable?: boolean }).retriable === true;
}

/** Errors that a retry cannot resolve: the broker refuses the records permanently. */
const REFUSED: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

export const isRefusedRecord = (error: unknown): boolean => hasType(error, REFUSED);

const FENCED: ReadonlySet<unknown> = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_TXN_STATE']);

/** Another producer has opened the same transactional id. */
export const isFenced = (error: unknown): boolean => hasType(error, FENCED);

/** Answers to a commit while the broker aborts the transaction for a new producer. There is no code for that: the broker says that
 *  another step is under way, or that it did not expect this one. */
const BEING_FENCED: ReadonlySet<unknown> = new Set(['CONCURRENT_TRANSACTIONS', 'UNKNOWN']);

export const isBeingFenced = (error: unknown): boolean => BEING_FENCED.has((error as { type?: unknown }).type);

function hasType(error: unknown, types: ReadonlySet<unknown>): boolean {
  for (let one = error as { type?: unknown; cause?: unknown } | undefined; one; one = one.cause as typeof one)
    if (types.has(one.type)) return true;
  return false;
}
