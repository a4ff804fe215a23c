/** Questions over many sensors, cut into slices. */
import { Slices } from '../selector/index.ts';
import { nextTurn } from '../turns.ts';

export const newSlices = (): Slices => new Slices(nextTurn);
