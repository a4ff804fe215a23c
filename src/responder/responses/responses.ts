/**
 * Response locations: where the responses of tasks are on `sensor-events`. Redis holds them as long as the record of the task; the
 * bodies stay on the topic. Redis also holds the offset up to which each partition was read for the org, so that locations that
 * were lost with Redis are read again.
 */

/** Locations of one task. Of later responses, Redis holds only that there are some. */
export const RESPONSES_MAX = 10_000;

export type Response = {
  sid: string;
  /** The id that the sensor gave, or its hash if it is long or unusual. */
  eventId: string;
  eventType: string;
  /** By the sensor's clock. Unix ms. */
  atMs: number;
  partition: number;
  offset: number;
  /** Size of the record on the topic. */
  bytes: number;
};

export type NoteRequest = {
  oid: string;
  partition: number;
  /** The offset that Redis should have for the partition; null: none. */
  expected: number | null;
  nextOffset: number;
  byTask: ReadonlyMap<string, readonly Response[]>;
};

/** noted: stored, with the offset · moved: Redis has another offset than expected, and nothing was stored · refused: the projection
 *  of the org is not complete, or Redis did not answer. */
export type NoteAnswer = 'noted' | 'moved' | 'refused';

export interface ResponseStore {
  /** One pipeline. A response that is stored already, or of an unknown task, changes nothing. */
  note(requests: readonly NoteRequest[]): Promise<NoteAnswer[]>;
  /** Next offset by partition; null: Redis did not answer for this org. */
  positions(oids: readonly string[]): Promise<(ReadonlyMap<number, number> | null)[]>;
  /** For each sensor in the order of the topic. `complete`: there were no more than RESPONSES_MAX. */
  read(oid: string, taskId: string): Promise<{ responses: Response[]; complete: boolean }>;
}
