/** The actions of the extension, in the order in which they are described. */
import type { Action } from './action.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { preview } from './preview.ts';
import { signalAttempt, signalReceived } from './signals.ts';
import { task } from './task.ts';
import { untask } from './untask.ts';
import { why } from './why.ts';

export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  [task, list, untask, get, why, preview, explain, signalAttempt, signalReceived].map((action) => [
    action.name,
    action,
  ]),
);
