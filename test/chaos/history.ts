/** What happened in a run, one JSON line for each thing: faults, what was asked, and in the end every record. Kept for people. */
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from './records.ts';

export class History {
  readonly file: string;
  readonly #stream: WriteStream;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.file = join(folder, 'history.jsonl');
    this.#stream = createWriteStream(this.file);
  }

  note(line: object, atMs = Date.now()): void {
    this.#stream.write(`${JSON.stringify({ at: new Date(atMs).toISOString(), ...line })}\n`);
  }

  records(entries: readonly Entry[]): void {
    for (const { atMs, ...entry } of entries) this.note(entry, atMs);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }
}
