/** Compressed bytes that unpack to more than the limit. */
export class TooLarge extends RangeError {
  constructor(maxBytes: number) {
    super(`it unpacks to more than ${maxBytes} bytes`);
  }
}
