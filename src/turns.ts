/** Long loops of one thread take their turns with everything else that the process does. */
import { setImmediate } from 'node:timers/promises';

/** Resolves when what waits (requests, answers, timers) has had its turn. */
export const nextTurn = (): Promise<void> => setImmediate();
