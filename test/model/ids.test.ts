import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispatchId, eventId, hashOf, isName, isUuid, taskIdForKey } from '../../src/model/ids.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe(`derived ids (seed ${seed})`, () => {
  // They are in logs that outlive a release: with another value, repeats would look new.
  it('never change', () => {
    expect(dispatchId('o', 't', 's', 1)).toBe('17d51bd3d23bc981dcff2de20746089d');
    expect(eventId('TASK_DONE', 'o', 't', 's', 1)).toBe('a6900c79a8d77b163d15ddac4d20bbed');
    expect(taskIdForKey('o', 'k')).toBe('4b62e5cb-28fd-5272-9967-f12b02eb431c');
  });

  it('differ if one part differs, and parts do not run into each other', () => {
    const parts = fc.array(fc.oneof(fc.string(), fc.nat()), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(hashOf(...one) === hashOf(...other)).toBe(same);
      }),
      { seed },
    );
    expect(hashOf('a', 'b')).not.toBe(hashOf('ab', ''));
    expect(hashOf('1')).not.toBe(hashOf(1));
    const ids = [dispatchId('o', 't', 's', 1), dispatchId('o', 't', 's', 2), dispatchId('p', 't', 's', 1)];
    expect(new Set(ids).size).toBe(3);
    expect(eventId('TASK_REMOVED', 'o', 't', null, null)).not.toBe(eventId('TASK_REMOVED', 'o', 't', 's', null));
    expect(eventId('TASK_FAILURE', 'o', 't', 's', 1)).toBe(eventId('TASK_FAILURE', 'o', 't', 's', 0));
    expect(eventId('TASK_SENT', 'o', 't', 's', 1)).not.toBe(eventId('TASK_SENT', 'o', 't', 's', 2));
  });

  it('of idempotency keys are valid task ids, and differ between orgs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (key) => {
        expect(isUuid(taskIdForKey('o', key))).toBe(true);
        expect(isName(taskIdForKey('o', key))).toBe(true);
        expect(taskIdForKey('o', key)).not.toBe(taskIdForKey('p', key));
      }),
      { seed },
    );
  });
});

describe('names', () => {
  it.each(['a', 'A-z_0.9:x', '__proto__', 'x'.repeat(128)])('%s is valid', (text) => expect(isName(text)).toBe(true));
  it.each(['', 'x'.repeat(129), 'a b', 'a/b', 'é', 'a\n', '{a}', '*'])('"%s" is not valid', (text) =>
    expect(isName(text)).toBe(false),
  );
  it.each(['', 'abc', '11111111-2222-4333-8444-55555555555', '11111111-2222-4333-8444-555555555555x'])(
    '"%s" is no UUID',
    (text) => expect(isUuid(text)).toBe(false),
  );
});
