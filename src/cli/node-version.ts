/** The required Node version. Imports nothing, because an older Node cannot load the other files. Pure. */

/** Older versions lack language features that the program uses. Must be equal to `engines` in package.json. */
export const NODE_MIN = 24;

/** The error message for an unsupported version (`process.versions.node`); undefined if it is supported. */
export function tooOld(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= NODE_MIN) return undefined;
  return `reliable-tasking needs Node ${NODE_MIN} or newer; this is Node ${version}. Install it from nodejs.org, then run the command again.`;
}
