import { expect, test } from 'vitest';
import { descriptionOfApi, digestOf, readGenerated } from '../../../scripts/console-types.ts';

test('the committed types belong to the API as it is described now', async () => {
  const { digest, types } = readGenerated();
  expect(types).toContain('export interface operations');
  expect(digestOf(await descriptionOfApi(), types), 'run `npm run console:types`').toBe(digest);
});
