/** Questions over many sensors take their turns with everything else that the process does. */
import { setImmediate } from 'node:timers/promises';
import { Slices } from '../selector/index.ts';

export const newSlices = (): Slices => new Slices(() => setImmediate());
