import { describe, expect, it } from 'vitest';
import { conjunctionOf } from '../../../src/selector/engine/required-keys.ts';
import { withoutNot } from '../../../src/selector/engine/without-not.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { printSelector } from '../../../src/selector/language/print.ts';

const SIGNS = { equal: '=', start: '^', item: ' has ' } as const;

/** The requirements of a selector, and in parentheses the conjuncts that none of them settles. */
function requirementsOf(text: string): string {
  const { conjuncts, requirements } = conjunctionOf(withoutNot(parseSelector(text)));
  const settled = new Set(requirements.map(({ settles }) => settles));
  const left = conjuncts.filter((one) => !settled.has(one)).map(printSelector);
  const keys = requirements.map((requirement) =>
    requirement.keys.map(({ kind, field, text: of }) => `${field}${SIGNS[kind]}${of}`).join(' or '),
  );
  return [...keys, ...(left.length > 0 ? [`(${left.join('; ')})`] : [])].join(', ');
}

describe('the keys that a selector requires', () => {
  it.each([
    ['*', ''],
    ['sid == a', 'sid=a'],
    ['plat == linux and "vip" in tags', 'plat=linux, tags has vip'],
    ['plat == 536870912', 'plat=linux or plat=536870912'],
    ["hostname matches '^web-'", 'hostname^web-'],
    ["hostname matches '^web-1$'", 'hostname=web-1'],
    ["int_ip matches '^10\\.3\\.[0-9]+$'", 'int_ip^10.3., (int_ip matches "^10\\\\.3\\\\.[0-9]+$")'],
    ['sid == a or sid == b', 'sid=a or sid=b'],
    ["hostname == a or hostname matches '^b'", 'hostname=a or hostname^b'],
    ['a in tags or b in tags', 'tags has a or tags has b'],
    ['not (plat != linux or hostname != a)', 'plat=linux, hostname=a'],
    ['not (sid != a and sid != b)', 'sid=a or sid=b'],
    // An error before the true operand is the verdict.
    ['hostname == a or sid == b', 'hostname=a or sid=b, (hostname == "a" or sid == "b")'],
    ['kernel == true or sid == b', '(kernel == "true" or sid == "b")'],
    ['(plat == linux and sid == a) or sid == b', 'sid=a or sid=b, (plat == "linux" and sid == "a" or sid == "b")'],
    ['sid != a', '(sid != "a")'],
    ['web in hostname and alive == 7', '("web" in hostname; alive == "7")'],
    ['tags.0 == a and nosuch == b', '(tags.0 == "a"; nosuch == "b")'],
    ['sid == a and (any tags as sid { sid == b })', 'sid=a, (any tags as sid { sid == "b" })'],
    // Both share one limit on items.
    [
      'sid == a and (any tags as t { t == b }) and (all tags as t { t == c })',
      'sid=a, (sid == "a" and (any tags as t { t == "b" }) and (all tags as t { t == "c" }))',
    ],
  ])('%s: %s', (text, expected) => expect(requirementsOf(text)).toBe(expected));
});
