import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DELIVERY_STATES as OF_CONSOLE } from '../../../src/console/ui/states.ts';
import { DELIVERY_STATES } from '../../../src/model/states.ts';

const STYLE = readFileSync(new URL('../../../src/console/style.css', import.meta.url), 'utf8');

test('the console shows each delivery state', () => {
  expect(OF_CONSOLE.toSorted()).toEqual(DELIVERY_STATES.toSorted());
});

test.each(DELIVERY_STATES)('%s has a colour, in bars and as a dot', (state) => {
  expect(STYLE).toContain(`.bar .${state} {`);
  expect(STYLE).toContain(`.state.${state} i {`);
});
