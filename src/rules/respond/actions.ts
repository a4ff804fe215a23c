/**
 * The `respond` part of a rule. An action is never refused here: what is not run, is not known, or has a fault is kept with a
 * sentence that says so, which is shown when the rule is stored and reported when it runs. What a new rule is refused for is
 * in stored.ts.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleError } from '../errors.ts';
import { parseTemplate, type Template } from '../template/parse.ts';
import { parseTransform, type Transform } from '../template/transform.ts';
import { isObject } from '../view.ts';
import { rightOf } from './rights.ts';
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
  /** The right that its author needs; null where it takes none. */
  readonly right: string | null;
};
/** An action that can't run, and why. */
export type Unrunnable = { readonly at: string; readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;
type Read = (fields: Fields, at: string) => Effect;

const READERS: Readonly<Record<string, Read>> = {
  report: (fields, at) => ({
    type: 'report',
    name: template(fields, 'name', at),
    publish: flag(fields, 'publish', at, true),
    priority: optionalNumber(fields, 'priority', at) ?? null,
    metadata: fields.metadata === undefined ? undefined : parseTransform(fields.metadata, `${at}/metadata`, 'literal'),
    detectData:
      fields.detect_data === undefined ? undefined : parseTransform(fields.detect_data, `${at}/detect_data`, 'literal'),
  }),
  output: (fields, at) => ({ type: 'output', name: text(fields, 'name', at) }),
  task: (fields, at) => ({
    type: 'task',
    command: template(fields, 'command', at),
    investigation: fields.investigation === undefined ? undefined : template(fields, 'investigation', at),
  }),
  'add tag': (fields, at) => tag('add', fields, at),
  'remove tag': (fields, at) => tag('remove', fields, at),
  'extension request': (fields, at) => ({
    type: 'extension',
    name: text(fields, 'extension name', at),
    action: text(fields, 'extension action', at),
    request: parseTransform(fields['extension request'] ?? {}, `${at}/extension request`, 'path'),
    basedOnReport: flag(fields, 'based on report', at, false),
  }),
  'isolate network': () => ({ type: 'isolate', isolate: true }),
  'rejoin network': () => ({ type: 'isolate', isolate: false }),
};

const NOT_RUN = new Set([
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

/** Every action that the public format has, run here or not. */
export const ACTION_NAMES: ReadonlySet<string> = new Set([...Object.keys(READERS), 'service request', ...NOT_RUN]);

export const isRunnable = (action: Action | Unrunnable): action is Action => 'effect' in action;

/** Throws a RuleError only where `respond` is not a list of objects, or too long. */
export function parseRespond(value: unknown): (Action | Unrunnable)[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RuleError('respond', '`respond` has to be a list of actions.');
  if (value.length > RULE_BOUNDS.actions) throw new RuleError('respond', `More than ${RULE_BOUNDS.actions} actions.`);
  return value.map((one, index) => parseAction(one, `respond/${index}`));
}

function parseAction(value: unknown, at: string): Action | Unrunnable {
  if (!isObject(value)) throw new RuleError(at, 'An action has to be an object.');
  const name = typeof value.action === 'string' ? value.action : '';
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (read === undefined) return { at, problem: `${at}/action: ${notRun(name)}` };
  try {
    const suppression = parseSuppression(value.suppression, `${at}/suppression`);
    return { at, effect: read(value, at), suppression, right: rightOf(name) };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { at, problem: error.message };
  }
}

function notRun(name: string): string {
  if (name === 'service request')
    return 'A legacy `service request` is not run. `extension convert_rules` turns it into an `extension request`.';
  return NOT_RUN.has(name) ? `The action "${name}" is not run here.` : `There is no action "${name.slice(0, 100)}".`;
}

function text(fields: Fields, name: string, at: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new RuleError(`${at}/${name}`, `\`${name}\` has to be a text.`);
  return value;
}

const template = (fields: Fields, name: string, at: string): Template =>
  parseTemplate(text(fields, name, at), `${at}/${name}`);

function flag(fields: Fields, name: string, at: string, fallback: boolean): boolean {
  const value = fields[name] ?? fallback;
  if (typeof value !== 'boolean') throw new RuleError(`${at}/${name}`, `\`${name}\` has to be true or false.`);
  return value;
}

function optionalNumber(fields: Fields, name: string, at: string): number | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Math.abs(value) > 2_147_483_647)
    throw new RuleError(`${at}/${name}`, `\`${name}\` has to be a whole number.`);
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
