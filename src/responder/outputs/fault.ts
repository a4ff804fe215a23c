/** Why an output did not take an event. `isFinal`: it would not take it the next time, either. */
export class OutputFault extends Error {
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'OutputFault';
    this.isFinal = options.isFinal;
  }
}

/** Answers that say "later", though they are of the class that says "never". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** The fault of an HTTP status that is not 2xx. A redirect is not followed. */
export const faultOfStatus = (status: number): OutputFault =>
  new OutputFault(`The webhook answered ${status}.`, { isFinal: status < 500 && !LATER.has(status) });
