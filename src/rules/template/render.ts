/**
 * Renders a parsed template with its data. A missing field ends the action with a RuleFault where a wrong text would do harm (a command line;
 * a target, where "" could mean every sensor). Elsewhere it is rendered as in Go: `<no value>`.
 */
import { RuleFault } from '../errors.ts';
import { FUNCTIONS, indexed, isTrue } from './functions.ts';
import type { Expression, Part, Template } from './parse.ts';
import { asText, refuseLonger } from './text.ts';

export type Missing = 'fault' | 'show';

export function render(template: Template, data: unknown, missing: Missing): string {
  let made = '';
  const add = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.type === 'if') add(isTrue(resultOf(part.condition, data)) ? part.yes : part.no);
      else made += part.type === 'text' ? part.text : shown(part.expression, data, missing);
      refuseLonger(made.length);
    }
  };
  add(template);
  return made;
}

function shown(expression: Expression, data: unknown, missing: Missing): string {
  const value = resultOf(expression, data);
  if (value !== undefined && value !== null) return asText(value);
  if (missing === 'fault') throw new RuleFault(`The event has no ${nameOf(expression)}.`);
  return '<no value>';
}

function resultOf(expression: Expression, data: unknown): unknown {
  if (expression.type === 'literal') return expression.value;
  if (expression.type === 'field') {
    const start = expression.of === null ? data : resultOf(expression.of, data);
    return expression.keys.reduce<unknown>(indexed, start);
  }
  const values = expression.arguments.map((argument) => resultOf(argument, data));
  const result = FUNCTIONS.get(expression.name)?.call(values);
  if (typeof result === 'string') refuseLonger(result.length);
  return result;
}

function nameOf(expression: Expression): string {
  if (expression.type === 'field') return `.${expression.keys.join('.')}`;
  return expression.type === 'call' ? `value of ${expression.name}` : 'value';
}
