/**
 * Converts rules with the legacy `service request` to `reliable-tasking` into the same rules with an `extension request`.
 *
 * A rule is converted with all its requests or not at all. Everything else in it stays unchanged, including the order of actions. No
 * field is dropped, and none is added except the selector for all sensors.
 */
import { fieldOfPath } from './template/split.ts';
import { isObject } from './view.ts';

export type Conversion =
  | { readonly state: 'untouched' }
  | { readonly state: 'converted'; readonly rule: Record<string, unknown> }
  /** Each reason starts with the path to its cause. */
  | { readonly state: 'failed'; readonly reasons: readonly string[] };

export const LEGACY_SERVICE = 'reliable-tasking';
const EXTENSION_NAME = 'ext-reliable-tasking';

type Fields = Readonly<Record<string, unknown>>;
type ActionShape = {
  /** The new names of fields. */
  readonly renamed: Readonly<Record<string, string>>;
  /** `sid: "*"` becomes the selector `*`. */
  readonly anyTarget: boolean;
  /** A request without a target meant every sensor. The new one requires a selector. */
  readonly needsTarget: boolean;
};

const shape = (rest: Partial<ActionShape>): ActionShape => ({
  renamed: {},
  anyTarget: false,
  needsTarget: false,
  ...rest,
});

/** The actions of the legacy service. */
const ACTIONS: ReadonlyMap<string, ActionShape> = new Map([
  ['task', shape({ renamed: { inv_id: 'context' }, anyTarget: true, needsTarget: true })],
  ['untask', shape({ anyTarget: true })],
  ['list', shape({ anyTarget: true })],
  ['signal_attempt', shape({})],
  ['signal_received', shape({})],
]);

const TARGETS = ['sid', 'tag', 'selector'] as const;
const ALL = '{{ "*" }}';

class CannotConvert extends Error {}

export function isLegacyRequest(action: unknown): action is Record<string, unknown> {
  return isObject(action) && action.action === 'service request' && action.name === LEGACY_SERVICE;
}

/** Throws nothing, for any value. */
export function convertRule(rule: unknown): Conversion {
  if (!isObject(rule) || !Array.isArray(rule.respond) || !rule.respond.some(isLegacyRequest))
    return { state: 'untouched' };
  const reasons: string[] = [];
  const respond = rule.respond.map((action: unknown, index) => {
    if (!isLegacyRequest(action)) return action;
    try {
      return convertAction(action, `respond/${index}`);
    } catch (error) {
      if (!(error instanceof CannotConvert)) throw error;
      reasons.push(error.message);
      return action;
    }
  });
  return reasons.length > 0 ? { state: 'failed', reasons } : { state: 'converted', rule: { ...rule, respond } };
}

function convertAction(
  { name: _name, request, ...kept }: Record<string, unknown>,
  at: string,
): Record<string, unknown> {
  if (!isObject(request)) throw new CannotConvert(`${at}/request: The request is not an object.`);
  const { action, ...fields } = request;
  const known = typeof action === 'string' ? ACTIONS.get(action) : undefined;
  if (known === undefined)
    throw new CannotConvert(
      `${at}/request/action: The service has no action ${JSON.stringify(action) ?? 'without a name'}.`,
    );
  return {
    ...kept,
    action: 'extension request',
    'extension name': EXTENSION_NAME,
    'extension action': action,
    'extension request': convertFields(fields, known, `${at}/request`),
  };
}

function convertFields(fields: Fields, { renamed, anyTarget, needsTarget }: ActionShape, at: string): Fields {
  const given = TARGETS.filter((target) => !isAbsent(fields[target]));
  if (given.length > 1) throw new CannotConvert(`${at}/${given[1]}: More than one of sid, tag and selector is given.`);
  const all = anyTarget && fields.sid === '*';
  const made: [string, unknown][] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (all && field === 'sid') {
      made.push(['selector', ALL]);
      continue;
    }
    if (all && field === 'selector') continue;
    const name = Object.hasOwn(renamed, field) ? (renamed[field] as string) : field;
    if (name !== field && Object.hasOwn(fields, name))
      throw new CannotConvert(`${at}/${field}: Both ${field} and ${name} are given.`);
    made.push([name, convertValue(value, `${at}/${field}`)]);
  }
  if (needsTarget && given.length === 0) made.push(['selector', ALL]);
  return Object.fromEntries(made);
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

const DEPTH_MAX = 64;

function convertValue(value: unknown, at: string, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw new CannotConvert(`${at}: Values are nested more than ${DEPTH_MAX} levels deep.`);
  if (typeof value === 'string') return convertText(value, at);
  if (Array.isArray(value)) return value.map((item, index) => convertValue(item, `${at}/${index}`, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, convertValue(item, `${at}/${key}`, depth + 1)]),
  );
}

const PATH = /<<([^<>]+)>>/g;

function convertText(text: string, at: string): string {
  let isTemplate = text.includes('{{');
  const made = text.replace(PATH, (whole, inside: string) => {
    const path = inside.trim();
    if (path === '') return whole;
    isTemplate = true;
    const field = fieldOfPath(path.includes('/') ? path : path.replaceAll('.', '/'));
    if (field === null) throw new CannotConvert(`${at}: ${whole} has a wildcard, which templates do not support.`);
    return `{{ ${field} }}`;
  });
  return isTemplate ? made : `{{ ${JSON.stringify(text)} }}`;
}
