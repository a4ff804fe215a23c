import { describe, expect, it } from 'vitest';
import { explainSelector } from '../../../src/selector/evaluate/explain.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';

describe('an explanation', () => {
  it('has every clause with its column, its value and its own verdict', () => {
    const ast = parseSelector("plat==linux and not (prod in tags or did == x) and int_ip matches '^10'");
    expect(explainSelector(ast, { plat: 'windows', tags: ['prod'], int_ip: '10.0.0.1' })).toEqual({
      result: false,
      clauses: [
        { clause: 'plat == "linux"', column: 1, value: 'windows', result: false },
        { clause: '"prod" in tags', column: 22, value: ['prod'], result: true },
        { clause: 'did == "x"', column: 38, value: undefined, result: 'error' },
        { clause: 'int_ip matches "^10"', column: 52, value: '10.0.0.1', result: true },
      ],
    });
  });

  it('has one clause for any/all, and none for *', () => {
    const ast = parseSelector('any tags as t { t == vip or t == prod }');
    expect(explainSelector(ast, { tags: ['vip'] }).clauses).toEqual([
      { clause: 'any tags as t { t == "vip" or t == "prod" }', column: 1, value: ['vip'], result: true },
    ]);
    expect(explainSelector(parseSelector('*'), {})).toEqual({ result: true, clauses: [] });
  });
});
