/**
 * Where the responses of tasks stand: of each, its place on `sensor-events`, kept in Redis as long as the task's record. The
 * bodies stay on the topic. Beside them stands, by partition, up to where the topic was read for the org, so that places
 * which were lost with Redis are read again.
 */

/** At most so many of a task; later ones are only known to exist. */
export const RESPONSES_MAX = 10_000;

export type Response = {
  sid: string;
  /** As the sensor gave it; one that is long or unusual by a hash. */
  eventId: string;
  eventType: string;
  /** When it happened, by the sensor's clock. Unix ms. */
  atMs: number;
  partition: number;
  offset: number;
  /** Size of the record on the topic. */
  bytes: number;
};

export type NoteRequest = {
  oid: string;
  partition: number;
  /** Up to where Redis is believed to have the partition; null: nothing of it. */
  expected: number | null;
  nextOffset: number;
  byTask: ReadonlyMap<string, readonly Response[]>;
};

/** noted: with the position · moved: Redis has another position than was expected, and nothing was noted · refused: the org's
 *  projection is not complete, or the store did not answer. */
export type NoteAnswer = 'noted' | 'moved' | 'refused';

export interface ResponseStore {
  /** One trip. A response that is there already changes nothing, nor does one of a task that is not known. */
  note(requests: readonly NoteRequest[]): Promise<NoteAnswer[]>;
  /** Next offset by partition; null: the store did not answer for this org. */
  positions(oids: readonly string[]): Promise<(ReadonlyMap<number, number> | null)[]>;
  /** Of each sensor in the order of the topic. `complete`: there were no more than are kept. */
  read(oid: string, taskId: string): Promise<{ responses: Response[]; complete: boolean }>;
}
