#!/usr/bin/env node
/**
 * Where the command line begins: on a Node that is too old it says so in one line and ends with the exit code of a wrong use. The
 * rest is imported only then, since an older Node fails at the syntax of what is in it.
 */
import { tooOld } from './node-version.ts';

const fault = tooOld(process.versions.node);
if (fault === undefined) await import('./run.ts');
else {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 2;
}
