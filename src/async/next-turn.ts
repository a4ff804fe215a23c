/** Lets long loops yield to the other work of the process. */
import { setImmediate } from 'node:timers/promises';

/** Resolves after other waiting work (requests, answers, timers) has run. */
export const nextTurn = (): Promise<void> => setImmediate();
