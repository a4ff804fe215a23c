/** Questions over many sensors, cut into slices. */

import { nextTurn } from '../../async/next-turn.ts';
import { Slices } from '../../selector/index.ts';

export const newSlices = (): Slices => new Slices(nextTurn);
