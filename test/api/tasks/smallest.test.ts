import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Smallest } from '../../../src/api/tasks/smallest.ts';

test('keeps what sorting all and cutting would keep, and knows whether more came', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ maxLength: 3 })), fc.integer({ min: 1, max: 10 }), (values, limit) => {
      const smallest = new Smallest<string>(limit, (value) => value);
      for (const value of values) smallest.add(value);
      const overflowed = smallest.overflowed;
      expect(smallest.sorted()).toEqual(values.toSorted((a, b) => (a < b ? -1 : 1)).slice(0, limit));
      expect(overflowed).toBe(values.length > limit);
      expect(smallest.overflowed).toBe(overflowed);
    }),
  );
});
