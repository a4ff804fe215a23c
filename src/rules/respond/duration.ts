/** Durations in Go's syntax: `90s`, `1h30m`, `1.5h`. Units: ns us ms s m h. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const WHOLE = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/;

/** Milliseconds, or null if the text is not a duration. */
export function parseGoDuration(text: string): number | null {
  if (text === '0') return 0;
  if (text === '' || text.length > 64) return null;
  let total = 0;
  for (let rest = text; rest !== ''; ) {
    const part = WHOLE.exec(rest)?.[0];
    if (part === undefined) return null;
    const unit = /[a-zµμ]+$/.exec(part)?.[0] ?? '';
    total += Number(part.slice(0, part.length - unit.length)) * (UNIT_MS[unit] as number);
    rest = rest.slice(part.length);
  }
  return total;
}
