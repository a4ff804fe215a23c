import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DELIVERY_STATES, isAnswered, isOpen, MOVES, noCounts, stateOf } from '../../src/model/states.ts';
import type { Delivery } from '../../src/model/task.ts';

const delivery = (state: Delivery['state'], attempt = 1): Delivery => ({ state, attempt, atMs: 0, reason: '' });

describe('the state of a delivery', () => {
  it.each([
    ['pending', undefined, 'queued'],
    ['pending', delivery('sent'), 'sent'],
    ['expired', undefined, 'expired'],
    ['expired', delivery('sent'), 'expired'],
    ['removed', delivery('sent'), 'removed'],
    ['pending', delivery('removed', 0), 'removed'],
    ['expired', delivery('removed', 0), 'removed'],
    ['removed', delivery('done', 0), 'done'],
    ['expired', delivery('failed'), 'failed'],
  ] as const)('in a task that is %s, stored as %o, is %s', (task, stored, state) => {
    expect(stateOf(task, stored)).toBe(state);
  });

  it('is open until the task ends or the receipt comes, and final only after the receipt', () => {
    expect(DELIVERY_STATES.filter(isOpen)).toEqual(['queued', 'sent']);
    expect(DELIVERY_STATES.filter(isAnswered)).toEqual(['done', 'failed']);
    expect(noCounts()).toEqual({ queued: 0, sent: 0, expired: 0, removed: 0, done: 0, failed: 0 });
  });
});

it('the transitions are those of docs/guarantees.md', () => {
  const page = readFileSync(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
  const lines = page.slice(page.indexOf('## States of a sensor')).split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).slice(0, DELIVERY_STATES.length + 1);
  const [head, ...body] = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const causes = head!.slice(1).map((name) => name.replaceAll(' ', '_').replace('answered_with_an', 'answered_with'));
  const written = body.map(([state, ...cells]) => [
    state,
    Object.fromEntries(cells.flatMap((cell, i) => (cell === '' ? [] : [[causes[i], cell.split(', ')]]))),
  ]);
  expect(Object.fromEntries(written)).toEqual(MOVES);
});
