/** Bytes for people: sixteen in a line, with their offset and their readable characters. Pure. */
const WIDTH = 16;

/** At most `maxBytes` of them; a last line says how many are missing. Ends with a line break. */
export function hexDump(bytes: Buffer, maxBytes: number): string {
  const shown = bytes.subarray(0, maxBytes);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += WIDTH) {
    const part = shown.subarray(at, at + WIDTH);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...part].map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(3 * WIDTH - 1)}  ${text}\n`);
  }
  if (bytes.length > shown.length) lines.push(`… ${bytes.length - shown.length} more bytes\n`);
  return lines.join('');
}
