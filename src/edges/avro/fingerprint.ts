/** CRC-64-AVRO, the fingerprint in the header of single-object encoding (Avro 1.12 specification, "Schema Fingerprints" and
 *  "Single-object encoding"). Worked on two unsigned 32-bit halves: the table has 64-bit entries, and BigInt would be slow.
 *  Known answers: `"null"` 0x63dd24e7cc258f8a, `"int"` 0x7275d51a3f395c8f. */

/** A 64-bit number as unsigned halves. */
export interface Fingerprint {
  high: number;
  low: number;
}

/** The polynomial is also the fingerprint of no bytes at all. */
const EMPTY: Fingerprint = { high: 0xc15d213a, low: 0xa4d7a795 };

/** Entry i holds the high half at 2i and the low half at 2i + 1. */
const TABLE = buildTable();

function buildTable(): Uint32Array {
  const table = new Uint32Array(512);
  for (let byte = 0; byte < 256; byte++) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = ((low >>> 1) | (high << 31)) ^ (carry ? EMPTY.low : 0);
      high = (high >>> 1) ^ (carry ? EMPTY.high : 0);
    }
    table[2 * byte] = high;
    table[2 * byte + 1] = low;
  }
  return table;
}

/** Fingerprint of a schema, given as the UTF-8 text of its parsing canonical form. */
export function fingerprintOf(canonicalForm: string): Fingerprint {
  let { high, low } = EMPTY;
  for (const byte of Buffer.from(canonicalForm, 'utf8')) {
    const entry = 2 * ((low ^ byte) & 0xff);
    low = ((low >>> 8) | (high << 24)) ^ TABLE[entry + 1]!;
    high = (high >>> 8) ^ TABLE[entry]!;
  }
  return { high: high >>> 0, low: low >>> 0 };
}

/** Sixteen hexadecimal digits, most significant first, as the specification writes them. */
export function fingerprintText({ high, low }: Fingerprint): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
