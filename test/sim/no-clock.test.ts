/** A run depends only on its seed if the core takes time and random numbers from the clock that it gets. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const OWN = /\b(setTimeout|setInterval|setImmediate|Date\.now|performance\.now|Math\.random)\b/;
const CORE = [
  'src/joiner/**/*.ts',
  'src/projector/*.ts',
  'src/model/*.ts',
  'src/edges/kafka/kafkajs/group/*.ts',
  'src/edges/kafka/{inbox,outbox}.ts',
  'src/api/{tasks/applied,events/shared-poll}.ts',
];
/** The simulation replaces these, but they too can be tested without waiting. */
const AROUND_IT = ['src/edges/**/*.ts', 'src/async/**/*.ts', 'src/server.ts', 'src/wait-for-services.ts'];
/** The system's clock, and the turn of the event loop. */
const SOURCES = ['src/async/clock.ts', 'src/async/next-turn.ts'];

const filesOf = (patterns: string[]) => patterns.flatMap((pattern) => globSync(pattern));
const isOwn = (words: RegExp) => (file: string) => words.test(readFileSync(file, 'utf8'));

it('the core has no clock and no random numbers of its own', () => {
  const files = filesOf(CORE);
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter(isOwn(OWN))).toEqual([]);
  expect(files.filter(isOwn(/\brandomUUID\b/))).toEqual([]);
});

it('the edges get their clock, too', () => {
  const files = filesOf(AROUND_IT).filter((file) => !SOURCES.includes(file));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter(isOwn(OWN))).toEqual([]);
});
