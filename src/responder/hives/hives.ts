/**
 * The hives, and what their records must be. A check refuses data that cannot be used. Data that can be stored but will not do what
 * it says gets warnings, which the record shows as its `last_error`.
 */
import { ApiError } from '../../errors.ts';
import { RULE_BOUNDS } from '../../rules/bounds.ts';
import { RuleError } from '../../rules/errors.ts';
import { type RequiredRight, requiredRights } from '../../rules/respond/rights.ts';
import { compileStored } from '../../rules/stored.ts';

export type HiveData = Record<string, unknown>;

export type Hive = {
  readonly name: string;
  /** The rights to read, write and delete its records. */
  readonly rights: { readonly list: string; readonly set: string; readonly del: string };
  /** Returns warnings. Throws ApiError `rule_invalid`, `field_unknown` or `data_invalid` for data that is refused. */
  check(data: HiveData): readonly string[];
  /** The rights of the actions in the data. Storing or enabling them requires these besides the hive's own rights. */
  needs(data: HiveData): readonly RequiredRight[];
  /** The form of the data as JSON Schema, for people. */
  readonly schema: Record<string, unknown>;
};

const RULE_SCHEMA = {
  type: 'object',
  required: ['detect', 'respond'],
  properties: { detect: { type: 'object' }, respond: { type: 'array', items: { type: 'object' } } },
};

const LOOKUP_SCHEMA = {
  type: 'object',
  required: ['lookup_data'],
  properties: { lookup_data: { type: 'object', additionalProperties: true } },
};

const rightsOf = (suffix: string): Hive['rights'] => ({
  list: `dr.list${suffix}`,
  set: `dr.set${suffix}`,
  del: `dr.del${suffix}`,
});

export const RULE_HIVES = ['dr-general', 'dr-managed'] as const;
export const LOOKUP_HIVE = 'lookup';

const HIVES: ReadonlyMap<string, Hive> = new Map(
  [
    { name: 'dr-general', rights: rightsOf(''), check: checkRule, needs: requiredRights, schema: RULE_SCHEMA },
    { name: 'dr-managed', rights: rightsOf('.managed'), check: checkRule, needs: requiredRights, schema: RULE_SCHEMA },
    { name: LOOKUP_HIVE, rights: rightsOf(''), check: checkLookup, needs: () => [], schema: LOOKUP_SCHEMA },
  ].map((hive) => [hive.name, hive]),
);

/** Throws `hive_unknown`. */
export function hiveNamed(name: string): Hive {
  const hive = HIVES.get(name);
  if (hive === undefined)
    throw new ApiError('hive_unknown', `There is no hive "${name}": use one of ${[...HIVES.keys()].join(', ')}.`);
  return hive;
}

function checkRule(data: HiveData): readonly string[] {
  if (Buffer.byteLength(JSON.stringify(data)) > RULE_BOUNDS.textBytes)
    throw new ApiError('rule_invalid', `A rule has at most ${RULE_BOUNDS.textBytes} bytes: make it smaller.`);
  try {
    return compileStored(data).warnings;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { path, unknown } = error;
    const code = unknown === undefined ? 'rule_invalid' : 'field_unknown';
    throw new ApiError(code, error.message, { data: { path, ...unknown }, cause: error });
  }
}

function checkLookup({ lookup_data: keys }: HiveData): readonly string[] {
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
    throw new ApiError('data_invalid', 'A lookup must be {"lookup_data": {key: metadata}}.');
  return [];
}
