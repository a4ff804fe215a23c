/** Which Node the program needs. Imports nothing, for it has to be asked on a Node that can load nothing else. Pure. */

/** Older ones lack language features that the program uses. `engines` in package.json says the same. */
export const NODE_MIN = 24;

/** The sentence for a Node that is too old, as `process.versions.node` gives it; undefined: it will do. */
export function tooOld(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= NODE_MIN) return undefined;
  return `reliable-tasking needs Node ${NODE_MIN} or newer; this is Node ${version}. Install it from nodejs.org, then run the command again.`;
}
