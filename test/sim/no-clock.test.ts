/** A run depends only on its seed if the core takes time and random numbers from the clock that it gets. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const OWN = /\b(setTimeout|setInterval|setImmediate|Date\.now|performance\.now|Math\.random|randomUUID)\b/;
const CORE = [
  'src/joiner/**/*.ts',
  'src/projector/*.ts',
  'src/model/*.ts',
  'src/edges/kafka/{,kafkajs/}group*.ts',
  'src/edges/kafka/{inbox,outbox}.ts',
  'src/api/{tasks/applied,events/shared-poll}.ts',
];

it('the core has no clock and no random numbers of its own', () => {
  const files = CORE.flatMap((pattern) => globSync(pattern));
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((file) => OWN.test(readFileSync(file, 'utf8')))).toEqual([]);
});
