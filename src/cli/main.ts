#!/usr/bin/env node
/**
 * The entry point of the command line. On an unsupported Node version, it prints one line and exits with the code for wrong usage.
 * It imports the rest only after this check, because an older Node cannot parse it.
 */
import { tooOld } from './node-version.ts';

const fault = tooOld(process.versions.node);
if (fault === undefined) await import('./run.ts');
else {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 2;
}
