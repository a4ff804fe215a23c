/** The response locations of tasks by `sensor-events`. Pure. */
import type { Response } from '../responder/responses/responses.ts';
import type { LoggedTask } from './replay.ts';

export type LoggedResponse = { sid: string; eventId: string; partition: number; offset: number; atMs: number };

export class LoggedResponses {
  /** By `oid/task`, then by `sid event id`. Only the first copy counts. */
  readonly #byTask = new Map<string, Map<string, LoggedResponse>>();

  /** `atMs`: when it was appended. */
  take(oid: string, taskId: string, { sid, eventId, partition, offset }: Response, atMs: number): void {
    const name = `${oid}/${taskId}`;
    const responses = this.#byTask.get(name) ?? new Map<string, LoggedResponse>();
    this.#byTask.set(name, responses);
    const key = `${sid} ${eventId}`;
    if (!responses.has(key)) responses.set(key, { sid, eventId, partition, offset, atMs });
  }

  /** `collected`: the positions up to which Redis has collected responses. Responses before the task are ignored. */
  of({ oid, taskId, appendedAtMs }: LoggedTask, collected: ReadonlyMap<number, number>): Map<string, LoggedResponse> {
    const all = this.#byTask.get(`${oid}/${taskId}`) ?? [];
    return new Map(
      [...all].filter(
        ([, { partition, offset, atMs }]) => atMs >= appendedAtMs && offset < (collected.get(partition) ?? 0),
      ),
    );
  }

  has(oid: string, taskId: string, response: Response): boolean {
    const logged = this.#byTask.get(`${oid}/${taskId}`)?.get(`${response.sid} ${response.eventId}`);
    return logged?.partition === response.partition && logged.offset === response.offset;
  }

  tasks(oid: string): string[] {
    const prefix = `${oid}/`;
    return [...this.#byTask.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }
}
