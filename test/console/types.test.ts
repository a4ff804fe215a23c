/** The console's types are those of the API as it is described now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { consoleTypes, GENERATED } from '../../scripts/console-types.ts';

test('the committed types are what `npm run console:types` makes', async () => {
  expect(readFileSync(GENERATED, 'utf8'), 'run `npm run console:types`').toBe(await consoleTypes());
}, 30_000);
