import { describe, expect, it } from 'vitest';
import { SELECTOR_BOUNDS } from '../../../src/selector/bounds.ts';
import { SelectorError } from '../../../src/selector/errors.ts';
import { checkSelector } from '../../../src/selector/language/check.ts';
import { STATE_AFTER_IS, WORD_AFTER_NOT } from '../../../src/selector/language/clause.ts';
import { parseExpression, parseSelector } from '../../../src/selector/language/parse.ts';

function refusal(text: string): SelectorError {
  try {
    checkSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('a selector that is refused', () => {
  it.each([
    ['plat = linux', 'selector_syntax', 6, '"="', '=='],
    ['plat === linux', 'selector_syntax', 8, '"="', '=='],
    ['plat == linux && vip in tags', 'selector_syntax', 15, '"&&"', 'and'],
    ['plat == linux || vip in tags', 'selector_syntax', 15, '"||"', 'or'],
    ['!(plat == linux)', 'selector_syntax', 1, '"!"', 'not'],
    ['plat =~ lin', 'selector_syntax', 6, '"=~"', 'matches'],
    ['alive > 0', 'selector_syntax', 7, '">"', 'order'],
    ['hostname == build server 7', 'selector_syntax', 19, '"server"', 'quotes'],
    ['hostname == db-01', 'selector_syntax', 15, '"-01"', 'quotes'],
    ['sid == 9e6f82e5-4e74', 'selector_bad_number', 8, '"9e6f82e5-4e74"', 'quotes'],
    ['int_ip == 10.3.0.1', 'selector_bad_number', 11, '"10.3.0.1"', 'quotes'],
    ['any tags as t { t == 7}', 'selector_bad_number', 22, '"7"', 'space'],
    ['not(plat == linux)', 'selector_syntax', 4, '"("', 'space'],
    ['(plat == linux)and (vip in tags)', 'selector_syntax', 16, '"and"', 'space'],
    ['(plat == linux', 'selector_syntax', 15, 'the end', 'open'],
    ['plat == linux)', 'selector_syntax', 14, '")"', 'closing'],
    ['plat == linux or', 'selector_syntax', 17, 'the end', 'missing'],
    ['plat == linux And vip in tags', 'selector_syntax', 15, '"And"', 'upper case'],
    ['vip IN tags', 'selector_syntax', 5, '"IN"', 'lower case'],
    ["'plat' == linux", 'selector_syntax', 1, '"\'plat\'"', 'without quotes'],
    ["vip in 'tags'", 'selector_syntax', 8, '"\'tags\'"', 'without quotes'],
    ['plat in [linux, windows]', 'selector_syntax', 9, '"["', 'join clauses with or'],
    ['not any tags as t { t == vip }', 'selector_syntax', 9, '"tags"', 'parentheses'],
    ['tags[0] == vip', 'selector_syntax', 6, '"0"', 'tags.0'],
    ['hostname == "a\\"b"', 'selector_bad_string', 15, '"\\\\\\"b\\""', 'single quotes'],
    ['hostname matches "\\d"', 'selector_bad_string', 19, '"\\\\d\\""', 'single quotes'],
    ['hostname == "web', 'selector_bad_string', 13, '"\\"web"', 'never closed'],
    ['  ', 'selector_syntax', 3, 'the end', '*'],
    ['platform == linux', 'selector_unknown_field', 1, 'platform', 'plat?'],
    ['vip in tag', 'selector_unknown_field', 8, 'tag', 'tags?'],
    ['plat == linux and hostnmae == x', 'selector_unknown_field', 19, 'hostnmae', 'hostname?'],
    ['any tgas as t { t == vip }', 'selector_unknown_field', 5, 'tgas', 'tags?'],
    ['any tags as t { u == vip }', 'selector_unknown_field', 17, 'u', 'called t here'],
    ['hostname.first == x', 'selector_unknown_field', 1, 'hostname.first', 'no parts'],
    ['hostname == 💻 x', 'selector_syntax', 13, '"💻"', 'quotes'],
    ["hostname == '💻' and hostname matches '('", 'selector_bad_regex', 38, '"("', 'missing closing )'],
    ['"x"and plat == linux', 'selector_syntax', 4, '"and"', 'space before the word'],
    ['hostname == "x"and plat == linux', 'selector_syntax', 16, '"and"', 'space before the word'],
    ['plat == linux or or kernel == true', 'selector_syntax', 18, '"or"', 'a clause is missing before'],
    ['plat == linux and or kernel == true', 'selector_syntax', 19, '"or"', 'a clause is missing before'],
    ['(or kernel == true)', 'selector_syntax', 2, '"or"', 'a clause is missing before'],
    ['and', 'selector_syntax', 1, '"and"', 'a clause is missing before'],
    ['OR plat == linux', 'selector_syntax', 1, '"OR"', 'a clause is missing before'],
    ['not', 'selector_syntax', 4, 'the end', 'a clause is missing at the end'],
    ['plat == linux AND', 'selector_syntax', 18, 'the end', 'a clause is missing at the end'],
    ['()', 'selector_syntax', 2, '")"', 'missing in the parentheses'],
    ['plat == “linux”', 'selector_syntax', 9, '"“linux”"', 'plain quotes'],
    ['‘vip’ in tags', 'selector_syntax', 1, '"‘vip’"', 'plain quotes'],
    ['plat == "linux”', 'selector_bad_string', 9, '"\\"linux”"', 'only a plain "'],
    ['hostname startswith web', 'selector_syntax', 10, '"startswith"', "matches '^web'"],
    ['hostname starts with web', 'selector_syntax', 10, '"starts"', "matches '^web'"],
    ['hostname endswith web', 'selector_syntax', 10, '"endswith"', "corp$'"],
    ["hostname like 'web%'", 'selector_syntax', 10, '"like"', 'contains'],
    ["hostname not like 'web%'", 'selector_syntax', 14, '"like"', 'contains'],
    ['plat eq linux', 'selector_syntax', 6, '"eq"', '=='],
    ['plat ne linux', 'selector_syntax', 6, '"ne"', '!='],
    ['plat <> linux', 'selector_syntax', 6, '"<>"', '!='],
    ['alive gt 0', 'selector_syntax', 7, '"gt"', 'order'],
    ["hostname !~ '^web'", 'selector_syntax', 10, '"!~"', 'not matches'],
    ["hostname ~ '^web'", 'selector_syntax', 10, '"~"', "matches '^web'"],
    ['tags has vip', 'selector_syntax', 6, '"has"', 'tags contains vip'],
    ['plat:linux', 'selector_syntax', 5, '":linux"', '=='],
    ["contains(hostname, 'x')", 'selector_syntax', 9, '"("', 'no functions'],
    ['isolated', 'selector_syntax', 9, 'the end', 'isolated == true'],
    ['not kernel and plat == linux', 'selector_syntax', 12, '"and"', 'kernel == true'],
    ['true', 'selector_syntax', 5, 'the end', '* selects every sensor'],
    ['hostname', 'selector_syntax', 9, 'the end', "hostname == '…'"],
    ['vip', 'selector_syntax', 4, 'the end', '"vip" in tags'],
    ['plat == linux or windows', 'selector_syntax', 25, 'the end', 'plat == windows'],
    ['plat in (linux, windows)', 'selector_syntax', 9, '"("', 'join clauses with or'],
    ['plat == (linux or windows)', 'selector_syntax', 9, '"("', 'one value'],
    ['hostname is null', 'selector_syntax', 13, '"null"', 'is empty'],
    ['plat is windows', 'selector_syntax', 9, '"windows"', 'write =='],
    ['plat is not windows', 'selector_syntax', 13, '"windows"', 'write !='],
    ['hostname is', 'selector_syntax', 10, '"is"', 'is empty or is nil'],
    ['plat == linux # all of them', 'selector_syntax', 15, '"#"', 'no comments'],
    ['plat == linux // all of them', 'selector_syntax', 15, '"//"', 'no comments'],
    ['hostname == CORP\\alice', 'selector_syntax', 17, '"\\\\alice"', 'backslash'],
    ["hostname == 'CORP\\'", 'selector_bad_string', 13, '"\'CORP\\\\\'"', '\\\\ for a backslash at its end'],
    ['hostname == web*', 'selector_syntax', 16, '"*"', 'no wildcards'],
    ['hostname matches ^web', 'selector_syntax', 18, '"^web"', 'needs quotes'],
    ['any tags { t == vip }', 'selector_syntax', 10, '"{"', 'any tags as t'],
    ['plat == linux, kernel == true', 'selector_syntax', 14, '","', 'join clauses with and, or'],
    ['customer == acme', 'selector_unknown_field', 1, 'customer', undefined],
    ['vip == true', 'selector_unknown_field', 1, 'vip', undefined],
    ['os == windows', 'selector_unknown_field', 1, 'os', 'plat?'],
    ['plat in linux', 'selector_unknown_field', 9, 'linux', 'plat == linux'],
    ['any tags as label { lable == vip }', 'selector_unknown_field', 21, 'lable', 'label?'],
  ])('%s', (text, code, column, found, hint) => {
    const error = refusal(text);
    expect(error).toMatchObject({ code, column, found });
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toContain(hint);
    expect(error.message).toContain(`column ${column}: found ${found}, expected ${error.expected}`);
    expect(error.message).toMatch(/^column /);
  });

  it('says what would be valid', () => {
    expect(refusal('plat == linux windows').expected).toBe('"and", "or" or the end');
    expect(refusal('(plat == linux').expected).toBe('"and", "or" or ")"');
    expect(refusal('tags is full').expected).toBe(STATE_AFTER_IS);
    expect(STATE_AFTER_IS).toMatch(/^"empty".* or "nil"$/);
    expect(refusal('plat == linux and').expected).toBe('a clause');
    expect(refusal('plat == linux or or').expected).toBe('a field or a value');
    expect(refusal('vip not tags').expected).toBe(WORD_AFTER_NOT);
    expect(WORD_AFTER_NOT).toMatch(/^"in", "contains".* or "matches"$/);
  });

  it('is refused if it cannot be encoded as UTF-8', () => {
    expect(refusal('hostname == "\ud800"')).toMatchObject({ code: 'selector_syntax', column: 14 });
  });
});

describe('bounds', () => {
  const repeated = (clause: string, count: number) => Array(count).fill(clause).join(' or ');

  it('count bytes, not characters, of the whole text', () => {
    const fits = `hostname == "${'é'.repeat(4089)}"`;
    expect(Buffer.byteLength(fits)).toBe(SELECTOR_BOUNDS.textBytes);
    expect(parseSelector(fits).type).toBe('comparison');
    expect(refusal(`${fits} `)).toMatchObject({ code: 'selector_too_long', column: 1 });
  });

  it('count nested parentheses', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}plat == linux${')'.repeat(depth)}`;
    expect(parseSelector(nested(SELECTOR_BOUNDS.depth)).type).toBe('comparison');
    expect(refusal(nested(SELECTOR_BOUNDS.depth + 1))).toMatchObject({ code: 'selector_too_deep', column: 101 });
    expect(refusal('('.repeat(8000)).code).toBe('selector_too_deep');
    expect(refusal('not ('.repeat(1500)).code).toBe('selector_too_deep');
    expect(refusal('any tags as t {'.repeat(500)).code).toBe('selector_too_deep');
    const side = repeated(nested(60), 3);
    expect(parseSelector(side).type).toBe('or');
  });

  it('allow any number of consecutive not', () => {
    expect(parseSelector(`${'not '.repeat(2001)}plat == linux`).type).toBe('not');
    expect(parseSelector(`${'not '.repeat(2000)}in tags`)).toMatchObject({ type: 'not', operand: { value: 'not' } });
  });

  it('count clauses', () => {
    expect(parseSelector(repeated('plat==a', SELECTOR_BOUNDS.terms)).type).toBe('or');
    const error = refusal(repeated('plat==a', SELECTOR_BOUNDS.terms + 1));
    expect(error).toMatchObject({ code: 'selector_too_many_terms', column: 1 + 512 * 11 });
  });

  it('limit a regular expression by length and by size', () => {
    expect(refusal(`hostname matches '${'a'.repeat(1025)}'`)).toMatchObject({
      code: 'selector_regex_too_long',
      column: 18,
    });
    expect(checkSelector(`hostname matches '${'a'.repeat(1024)}'`).ast.type).toBe('comparison');
    const large = `hostname matches '${'a{1000}'.repeat(11)}'`;
    expect(refusal(large)).toMatchObject({ code: 'selector_regex_too_large', column: 18 });
    const half = `hostname matches '${'a{1000}'.repeat(6)}'`;
    expect(checkSelector(half).ast.type).toBe('comparison');
    expect(refusal(`${half} or ${half}`)).toMatchObject({ code: 'selector_regex_too_large', column: 83 });
  });
});

it('no text and * select every sensor, and blank text is an error', () => {
  for (const text of [null, undefined, '', '*', ' * ']) expect(checkSelector(text).canonical).toBe('*');
  expect(checkSelector(' plat==linux ').canonical).toBe(' plat==linux ');
  expect(() => parseExpression('')).toThrow(SelectorError);
});
