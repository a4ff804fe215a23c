/**
 * The `respond` part of a rule. No action is refused here: an action that is not supported, unknown or faulty is kept with a sentence that
 * explains the problem, as a warning when the rule is stored and as an error when it runs. stored.ts decides which new rules are refused.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleError } from '../errors.ts';
import { parseTemplate, type Template } from '../template/parse.ts';
import { parseTransform, type Transform } from '../template/transform.ts';
import { isObject } from '../view.ts';
import { parseSuppression, type Suppression } from './suppression.ts';

export type Effect =
  | {
      readonly type: 'report';
      readonly name: Template;
      readonly publish: boolean;
      readonly priority: number | null;
      readonly metadata: Transform | undefined;
      readonly detectData: Transform | undefined;
    }
  | { readonly type: 'output'; readonly name: string }
  | { readonly type: 'task'; readonly command: Template; readonly investigation: Template | undefined }
  | {
      readonly type: 'tag';
      readonly change: 'add' | 'remove';
      readonly tag: Template;
      readonly ttlSeconds: number | undefined;
      readonly entireDevice: boolean;
    }
  | {
      readonly type: 'extension';
      readonly name: string;
      readonly action: string;
      readonly request: Transform;
      readonly basedOnReport: boolean;
    }
  | { readonly type: 'isolate'; readonly isolate: boolean };

export type Action = {
  readonly at: string;
  readonly effect: Effect;
  readonly suppression: Suppression | undefined;
  /** The right that its author needs. Null: none. */
  readonly right: string | null;
};
/** An action that cannot run, and why. */
export type Unrunnable = { readonly at: string; readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;
type ActionDefinition = {
  /** The right that its author needs. Null: none. */
  readonly right: string | null;
  /** Throws a RuleError for a faulty action. */
  readonly read: (fields: Fields, at: string) => Effect;
};

const ACTIONS: ReadonlyMap<string, ActionDefinition> = new Map<string, ActionDefinition>([
  ['report', { right: null, read: report }],
  ['output', { right: null, read: (fields, at) => ({ type: 'output', name: text(fields, 'name', at) }) }],
  ['task', { right: 'sensor.task', read: task }],
  ['add tag', { right: 'sensor.tag', read: (fields, at) => tag('add', fields, at) }],
  ['remove tag', { right: 'sensor.tag', read: (fields, at) => tag('remove', fields, at) }],
  ['extension request', { right: 'sensor.task', read: extensionRequest }],
  ['isolate network', { right: 'sensor.task', read: () => ({ type: 'isolate', isolate: true }) }],
  ['rejoin network', { right: 'sensor.task', read: () => ({ type: 'isolate', isolate: false }) }],
]);

/** The right that the author of an action needs. Null: none. */
export const rightOf = (action: string): string | null => ACTIONS.get(action)?.right ?? null;

/** Actions of the public format that are not supported. */
const UNSUPPORTED = new Set([
  'seal',
  'unseal',
  'add var',
  'del var',
  'wait',
  'add hive tag',
  'remove hive tag',
  'undelete sensor',
  'start ai agent',
]);

/** Every action of the public format, supported or not. */
export const ACTION_NAMES: ReadonlySet<string> = new Set([...ACTIONS.keys(), 'service request', ...UNSUPPORTED]);

export const isRunnable = (action: Action | Unrunnable): action is Action => 'effect' in action;

/** Throws a RuleError only if `respond` is not a list of objects, or too long. */
export function parseRespond(value: unknown): (Action | Unrunnable)[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RuleError('respond', '`respond` must be a list of actions.');
  if (value.length > RULE_BOUNDS.actions)
    throw new RuleError('respond', `\`respond\` has more than ${RULE_BOUNDS.actions} actions.`);
  return value.map((one, index) => parseAction(one, `respond/${index}`));
}

function parseAction(value: unknown, at: string): Action | Unrunnable {
  if (!isObject(value)) throw new RuleError(at, 'An action must be an object.');
  const name = typeof value.action === 'string' ? value.action : '';
  const action = ACTIONS.get(name);
  if (action === undefined) return { at, problem: `${at}/action: ${notSupported(name)}` };
  try {
    const suppression = parseSuppression(value.suppression, `${at}/suppression`);
    return { at, effect: action.read(value, at), suppression, right: action.right };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { at, problem: error.message };
  }
}

function notSupported(name: string): string {
  if (name === 'service request')
    return 'A legacy `service request` does not run. `extension convert_rules` converts it to an `extension request`.';
  return UNSUPPORTED.has(name)
    ? `The action "${name}" is not supported.`
    : `There is no action "${name.slice(0, 100)}".`;
}

function text(fields: Fields, name: string, at: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new RuleError(`${at}/${name}`, `\`${name}\` must be a text.`);
  return value;
}

const template = (fields: Fields, name: string, at: string): Template =>
  parseTemplate(text(fields, name, at), `${at}/${name}`);

function flag(fields: Fields, name: string, at: string, fallback: boolean): boolean {
  const value = fields[name] ?? fallback;
  if (typeof value !== 'boolean') throw new RuleError(`${at}/${name}`, `\`${name}\` must be true or false.`);
  return value;
}

function optionalNumber(fields: Fields, name: string, at: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Math.abs(value) > 2_147_483_647)
    throw new RuleError(`${at}/${name}`, `\`${name}\` must be a whole number.`);
  return value;
}

function tag(change: 'add' | 'remove', fields: Fields, at: string): Effect {
  const ttlSeconds = change === 'add' ? optionalNumber(fields, 'ttl', at) : undefined;
  return {
    type: 'tag',
    change,
    tag: template(fields, 'tag', at),
    ttlSeconds: ttlSeconds === 0 ? undefined : ttlSeconds,
    entireDevice: flag(fields, 'entire_device', at, false),
  };
}

function report(fields: Fields, at: string): Effect {
  return {
    type: 'report',
    name: template(fields, 'name', at),
    publish: flag(fields, 'publish', at, true),
    priority: optionalNumber(fields, 'priority', at) ?? null,
    metadata: optionalTransform(fields, 'metadata', at),
    detectData: optionalTransform(fields, 'detect_data', at),
  };
}

function task(fields: Fields, at: string): Effect {
  return {
    type: 'task',
    command: template(fields, 'command', at),
    investigation: fields.investigation === undefined ? undefined : template(fields, 'investigation', at),
  };
}

function extensionRequest(fields: Fields, at: string): Effect {
  return {
    type: 'extension',
    name: text(fields, 'extension name', at),
    action: text(fields, 'extension action', at),
    request: parseTransform(fields['extension request'] ?? {}, `${at}/extension request`, 'path'),
    basedOnReport: flag(fields, 'based on report', at, false),
  };
}

const optionalTransform = (fields: Fields, name: string, at: string): Transform | undefined =>
  fields[name] === undefined ? undefined : parseTransform(fields[name], `${at}/${name}`, 'literal');
