/**
 * The value of `extension request`. A text with `{{` or `<<` is a template. Any other text is a path with dots, which is replaced by its
 * value (null if absent). Numbers, booleans and null stay unchanged. Objects and lists are transformed recursively. In the fields of a
 * report, a text without `{{` is a literal.
 */
import { RuleError } from '../errors.ts';
import { isObject } from '../view.ts';
import { indexed } from './functions.ts';
import { parseTemplate, type Template } from './parse.ts';
import { type Missing, render } from './render.ts';

export type Transform =
  | { readonly type: 'fixed'; readonly value: unknown }
  | { readonly type: 'template'; readonly template: Template }
  | { readonly type: 'path'; readonly keys: readonly string[] }
  | { readonly type: 'list'; readonly items: readonly Transform[] }
  | { readonly type: 'object'; readonly fields: readonly (readonly [string, Transform])[] };

/** Nesting levels of values. */
export const TRANSFORM_DEPTH_MAX = 32;

/** The meaning of a text that is not a template. */
export type PlainText = 'path' | 'literal';

export function parseTransform(value: unknown, at: string, plain: PlainText, depth = 0): Transform {
  if (depth > TRANSFORM_DEPTH_MAX)
    throw new RuleError(at, `Values are nested more than ${TRANSFORM_DEPTH_MAX} levels deep.`);
  if (typeof value === 'string') {
    if (isTemplate(value)) return { type: 'template', template: parseTemplate(value, at) };
    return plain === 'path' ? { type: 'path', keys: keysOf(value) } : { type: 'fixed', value };
  }
  if (Array.isArray(value))
    return {
      type: 'list',
      items: value.map((item, index) => parseTransform(item, `${at}/${index}`, plain, depth + 1)),
    };
  if (!isObject(value)) return { type: 'fixed', value };
  const fields = Object.entries(value).map(
    ([key, item]) => [key, parseTransform(item, `${at}/${key}`, plain, depth + 1)] as const,
  );
  return { type: 'object', fields };
}

/** Whether a text is a template. */
export const isTemplate = (text: string): boolean => text.includes('{{') || /<<[^<>]+>>/.test(text);

/** `a.b\.c` -> a, "b.c". */
export const keysOf = (path: string): string[] =>
  (path.match(/(?:[^.\\]|\\.)+/g) ?? []).map((key) => key.replace(/\\(.)/g, '$1'));

/** `missing`: how a template renders a missing field. */
export function applyTransform(transform: Transform, data: unknown, missing: Missing = 'fault'): unknown {
  switch (transform.type) {
    case 'fixed':
      return transform.value;
    case 'template':
      return render(transform.template, data, missing);
    case 'path':
      // A path without keys would be the whole event.
      return transform.keys.length === 0 ? null : (transform.keys.reduce<unknown>(indexed, data) ?? null);
    case 'list':
      return transform.items.map((item) => applyTransform(item, data, missing));
    case 'object':
      return Object.fromEntries(transform.fields.map(([key, item]) => [key, applyTransform(item, data, missing)]));
  }
}
