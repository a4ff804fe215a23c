/** Holds answers to the schemas that the API describes them with, and to nothing beside: a field that is not described is a fault. */
import { KindGuard, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ACTIONS } from '../../../src/api/actions/table.ts';

/** The same schema, whose objects take no other fields. */
export function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = Reflect.ownKeys(schema).map((key) => [key, closed(Reflect.get(schema, key))]);
  const made = Object.fromEntries(all);
  return KindGuard.IsObject(schema) &&
    schema.additionalProperties === undefined &&
    Object.keys(schema.properties).length > 0
    ? { ...made, additionalProperties: false }
    : made;
}

/** Throws with what is wrong, and where. */
export function conform(what: string, schema: TSchema | undefined, value: unknown): void {
  if (schema === undefined) throw new Error(`${what} is not described`);
  const strict = closed(schema);
  if (Value.Check(strict, value)) return;
  const [first] = [...Value.Errors(strict, value)];
  throw new Error(
    `${what} is not as described: ${first?.path} ${first?.message}: ${JSON.stringify(value).slice(0, 500)}`,
  );
}

const seen = new Set<string>();

export function conformAction(name: string, status: number, data: unknown): void {
  if (status !== 200 && status !== 202) return;
  conform(`${name} ${status}`, ACTIONS.get(name)?.answers[status], data);
  seen.add(name);
}

export const actionsSeen = (): string[] => [...seen].toSorted();
