/**
 * Compiles a rule that is to be stored or validated. Refuses a detect part that cannot run, and mistakes that prevent an action from ever
 * working: no `respond`, an unknown action, and in a request to our extension an unknown field or a literal without quotes. A rule that
 * was stored before these checks still runs: its faulty actions report their faults, the others work.
 *
 * The output of the converter of the public client 4.x is accepted with a warning, although it cannot run.
 */
import { RULE_REQUESTS } from '../command/schemas.ts';
import { unknownField, unknownFieldSentence } from '../command/unknown-field.ts';
import { EXTENSION } from '../orgs/table.ts';
import { nearestName } from '../text/nearest-name.ts';
import { RuleError } from './errors.ts';
import { ACTION_NAMES } from './respond/actions.ts';
import { compileRule, type Rule } from './rule.ts';
import { isTemplate, keysOf, TRANSFORM_DEPTH_MAX } from './template/transform.ts';
import { isObject } from './view.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The first part of a path in a request, for an event and for a report. */
const EVENT_PARTS = ['routing', 'event', 'mtd'];
const REPORT_PARTS = [
  'cat',
  'routing',
  'detect',
  'detect_mtd',
  'detect_data',
  'priority',
  'source',
  'detect_id',
  'mtd',
];

/** Throws a RuleError with the path to the cause. The warnings name parts that are stored but have no effect. */
export function compileStored(data: unknown): Rule {
  const rule = compileRule(data);
  const { respond } = data as { respond?: unknown };
  if (respond === undefined || respond === null)
    throw new RuleError('respond', 'The rule has no `respond`: give it a list of actions.');
  const warnings = (respond as Fields[]).flatMap((action, index) =>
    checkAction(action, `respond/${index}`, rule.detect.target === 'detection'),
  );
  return { ...rule, warnings: [...rule.warnings, ...warnings] };
}

function checkAction(action: Fields, at: string, onReports: boolean): string[] {
  const name = typeof action.action === 'string' ? action.action : '';
  if (!ACTION_NAMES.has(name) && !isFailedConversion(action))
    throw new RuleError(`${at}/action`, `There is no action "${shown(name)}"${orNearest(name, [...ACTION_NAMES])}`);
  return name === 'extension request' ? checkRequest(action, at, onReports) : [];
}

function checkRequest(action: Fields, at: string, onReports: boolean): string[] {
  const { 'extension name': extension, 'extension action': name, 'extension request': request } = action;
  // Without a text for either the action cannot run. compileRule has already added a warning.
  if (typeof extension !== 'string' || typeof name !== 'string') return [];
  if (extension !== EXTENSION)
    return [`${at}/extension name: There is no extension ${shown(extension)} here: use ${EXTENSION}.`];
  const fields = RULE_REQUESTS.get(name);
  if (fields === undefined)
    throw new RuleError(
      `${at}/extension action`,
      `${EXTENSION} has no action "${shown(name)}" for rules${orNearest(name, [...RULE_REQUESTS.keys()])}`,
    );
  const requestAt = `${at}/extension request`;
  const unknown = unknownField(fields, request);
  if (unknown !== null) {
    const sentence = unknownFieldSentence(name, fields, unknown);
    if (isConvertedTask(name, request)) return [`${requestAt}/${unknown.field}: ${sentence}`];
    throw new RuleError(`${requestAt}/${unknown.field}`, sentence, unknown);
  }
  refuseLiterals(request, requestAt, action['based on report'] === true || onReports ? REPORT_PARTS : EVENT_PARTS);
  return [];
}

/** A text that is not a template is a path. A path with an unknown first part is null for every event. */
function refuseLiterals(value: unknown, at: string, parts: readonly string[], depth = 0): void {
  // A deeper request cannot run. compileRule has already added a warning.
  if (depth > TRANSFORM_DEPTH_MAX) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseLiterals(item, `${at}/${index}`, parts, depth + 1);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) refuseLiterals(item, `${at}/${key}`, parts, depth + 1);
  } else if (typeof value === 'string' && !isTemplate(value)) {
    const [first] = keysOf(value);
    if (first === undefined || parts.includes(first)) return;
    throw new RuleError(
      at,
      `A text here must be a path that begins with ${parts.join(', ')}. Write a literal as '{{ ${JSON.stringify(shown(value))} }}'.`,
    );
  }
}

const SHOWN_MAX = 100;
const shown = (text: string): string => text.slice(0, SHOWN_MAX);

function orNearest(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? `: use one of ${names.join(', ')}.` : `: write "${nearest}".`;
}

/** The converter of the client writes its error instead of an action. */
const isFailedConversion = (action: Fields): boolean => action.action === undefined && typeof action.ERROR === 'string';

/** The converter writes a task_id, and omits the command. */
const isConvertedTask = (action: string, request: unknown): boolean =>
  action === 'task' && isObject(request) && Object.hasOwn(request, 'task_id') && request.task === undefined;
