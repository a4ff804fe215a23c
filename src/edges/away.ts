/** Whether an error says that Kafka, Redis or the schema registry cannot be reached now, so that another try may succeed. */
import { ApiError } from '../errors.ts';
import { CodecError } from './avro/error.ts';
import { isKafkaAway } from './kafka/kafkajs/errors.ts';

export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'unavailable';
  if (error instanceof CodecError) return error.retriable;
  return error instanceof Error && isKafkaAway(error);
}
