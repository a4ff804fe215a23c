/**
 * Compiles a rule that is to be stored or validated. It refuses a detect part that cannot run, and mistakes after which an action
 * would never work: no `respond`, an unknown action, and in a request to our extension an unknown field or a literal without
 * quotes. A rule that was stored before these checks still runs: its faulty actions report their faults, the others work.
 *
 * Output of the converter of the public client 4.x is accepted with a warning, though it cannot run.
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

/** What paths of a request start from: an event, or a report. */
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

/** Throws a RuleError with the path to the fault. The warnings say what is kept and will not do what it says. */
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
  const { 'extension name': extension, 'extension action': asked, 'extension request': request } = action;
  // Without a text for either the action can't run, and is a warning already.
  if (typeof extension !== 'string' || typeof asked !== 'string') return [];
  if (extension !== EXTENSION)
    return [`${at}/extension name: There is no extension ${shown(extension)} here: use ${EXTENSION}.`];
  const fields = RULE_REQUESTS.get(asked);
  if (fields === undefined)
    throw new RuleError(
      `${at}/extension action`,
      `${EXTENSION} has no action "${shown(asked)}" for rules${orNearest(asked, [...RULE_REQUESTS.keys()])}`,
    );
  const place = `${at}/extension request`;
  const unknown = unknownField(fields, request);
  if (unknown !== null) {
    const sentence = unknownFieldSentence(asked, fields, unknown);
    if (isConvertedTask(asked, request)) return [`${place}/${unknown.field}: ${sentence}`];
    throw new RuleError(`${place}/${unknown.field}`, sentence, unknown);
  }
  refuseLiterals(request, place, action['based on report'] === true || onReports ? REPORT_PARTS : EVENT_PARTS);
  return [];
}

/** A text that is not a template is a path. A path with an unknown first part gives null for every event. */
function refuseLiterals(value: unknown, at: string, parts: readonly string[], depth = 0): void {
  // Deeper the request can't run, and is a warning already.
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

/** The client's converter writes its error in place of an action. */
const isFailedConversion = (action: Fields): boolean => action.action === undefined && typeof action.ERROR === 'string';

/** It writes a task_id, and leaves the command out. */
const isConvertedTask = (asked: string, request: unknown): boolean =>
  asked === 'task' && isObject(request) && Object.hasOwn(request, 'task_id') && request.task === undefined;
