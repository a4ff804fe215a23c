/**
 * Texts that hold bytes which are not UTF-8 (from an escape such as `\xff`). Such a byte is represented as U+DC00 plus the byte. No
 * text of a sensor contains these characters.
 */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  let offset = 0;
  while (offset < bytes.length) {
    const length = characterLength(bytes, offset);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[offset] ?? 0));
    else text += strictUtf8.decode(bytes.subarray(offset, offset + length));
    offset += Math.max(length, 1);
  }
  return text;
}

/** 0 for a byte that belongs to no character. */
function characterLength(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (length === 1) return 1;
  try {
    strictUtf8.decode(bytes.subarray(offset, offset + length));
    return length;
  } catch {
    return 0;
  }
}

/** The bytes of a value that holds stray bytes, or null for ordinary text. */
export function strayBytes(value: string): Buffer | null {
  if (value.isWellFormed()) return null;
  const parts: Buffer[] = [];
  for (const char of value) {
    const code = char.codePointAt(0) ?? 0;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
}
