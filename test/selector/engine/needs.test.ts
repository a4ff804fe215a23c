import { describe, expect, it } from 'vitest';
import { partsOf } from '../../../src/selector/engine/needs.ts';
import { parseSelector, printSelector } from '../../../src/selector/index.ts';
import { withoutNot } from '../../../src/selector/normal.ts';

const SIGNS = { equal: '=', start: '^', item: ' has ' } as const;

/** The needs of a selector, and in brackets what is still to be asked once all of them are met. */
function partsIn(text: string): string {
  const { conjuncts, needs } = partsOf(withoutNot(parseSelector(text)));
  const settled = new Set(needs.map((need) => need.settles));
  const left = conjuncts.filter((one) => !settled.has(one)).map(printSelector);
  const keys = needs.map((need) =>
    need.keys.map(({ kind, field, text: of }) => `${field}${SIGNS[kind]}${of}`).join(' or '),
  );
  return [...keys, ...(left.length > 0 ? [`(${left.join('; ')})`] : [])].join(', ');
}

describe('what a record must have', () => {
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
    // An error in front of the operand that is true is the answer.
    ['hostname == a or sid == b', 'hostname=a or sid=b, (hostname == "a" or sid == "b")'],
    ['kernel == true or sid == b', '(kernel == "true" or sid == "b")'],
    ['(plat == linux and sid == a) or sid == b', 'sid=a or sid=b, (plat == "linux" and sid == "a" or sid == "b")'],
    ['sid != a', '(sid != "a")'],
    ['web in hostname and alive == 7', '("web" in hostname; alive == "7")'],
    ['tags.0 == a and nosuch == b', '(tags.0 == "a"; nosuch == "b")'],
    ['sid == a and (any tags as sid { sid == b })', 'sid=a, (any tags as sid { sid == "b" })'],
    // What both may look at is counted together.
    [
      'sid == a and (any tags as t { t == b }) and (all tags as t { t == c })',
      'sid=a, (sid == "a" and (any tags as t { t == "b" }) and (all tags as t { t == "c" }))',
    ],
  ])('%s: %s', (text, parts) => expect(partsIn(text)).toBe(parts));
});
