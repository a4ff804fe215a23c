/** Bytes that say that they hold more than is taken. */
export class TooLarge extends RangeError {
  constructor(maxBytes: number) {
    super(`it unpacks to more than ${maxBytes} bytes`);
  }
}
