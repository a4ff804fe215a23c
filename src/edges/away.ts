/** Whether an error says that Kafka, Redis or the registry cannot be reached now, so that trying again may help. */
import { ApiError } from '../errors.ts';
import { CodecError } from './avro/error.ts';

/** kafkajs calls these final, since it has tried for a while. */
const GIVEN_UP = new Set(['KafkaJSNumberOfRetriesExceeded', 'KafkaJSGroupCoordinatorNotFound', 'KafkaJSTimeout']);

export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'unavailable';
  if (error instanceof CodecError) return error.retriable;
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return false;
  return GIVEN_UP.has(error.name) || (error as Error & { retriable?: boolean }).retriable === true;
}
