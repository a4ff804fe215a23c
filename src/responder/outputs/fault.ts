/** Why an output did not take an event. `isFinal`: another attempt cannot succeed. */
export class OutputFault extends Error {
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'OutputFault';
    this.isFinal = options.isFinal;
  }
}

/** Statuses below 500 that allow another attempt. */
const RETRIABLE: ReadonlySet<number> = new Set([408, 425, 429]);

/** The fault of an HTTP status that is not 2xx. Redirects are not followed. */
export const faultOfStatus = (status: number): OutputFault =>
  new OutputFault(`The webhook answered ${status}.`, { isFinal: status < 500 && !RETRIABLE.has(status) });
