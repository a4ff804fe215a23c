/** Bytes that say that they hold more than is taken. */
export class TooLarge extends RangeError {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes are packed in it`);
  }
}
