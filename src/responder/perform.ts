/**
 * One action of a rule that matched -> effects. An action that fails is a fault with the name of its rule, and the other actions
 * run. Ids follow from event, rule and action, so a repeat makes the same records.
 */
import { TAG_MAX_BYTES } from '../command/check.ts';
import type { Origin } from '../command/task-command.ts';
import { directCommandOf } from '../command/task-command.ts';
import { ApiError } from '../errors.ts';
import { RuleFault } from '../rules/errors.ts';
import type { Action, Effect } from '../rules/respond/actions.ts';
import { notAllowed } from '../rules/respond/rights.ts';
import { render } from '../rules/template/render.ts';
import { applyTransform } from '../rules/template/transform.ts';
import { type ActionInput, type FiringInput, ruleNameOf } from './action-input.ts';
import { changeOf, sentenceOf } from './effects.ts';
import { askExtension } from './extension.ts';
import { outputOf, reportOf } from './report.ts';
import { ruleId } from './rule-event.ts';

/** How many rules can act one after the other, each on what the rule before has made. */
export const DEPTH_MAX = 8;

type Perform<T extends Effect['type']> = (
  effect: Extract<Effect, { type: T }>,
  input: ActionInput,
) => void | Promise<void>;

const PERFORM: { [T in Effect['type']]: Perform<T> } = {
  report: (effect, { firing, effects, event, at, origin }) => {
    const source = { hive: firing.rule.hive, rule: firing.rule.name, at };
    const { report, detection } = reportOf(effect, event, firing.mtd, source, origin.nowMs);
    firing.reports.push(report);
    if (detection !== null) effects.detections.push(detection);
  },
  output: ({ name }, { effects, event }) => {
    effects.outputs.push(outputOf(name, event));
  },
  task: ({ command, investigation }, { effects, event, data, origin, ports }) => {
    const task = render(command, data, 'fault');
    if (!event.online)
      throw new RuleFault(
        'The sensor is not online, and `task` does not wait for it: use the extension action `task`.',
      );
    const context = investigation === undefined ? null : render(investigation, data, 'fault');
    const rules = {
      orgs: ports.orgs.table,
      ttlMaxSeconds: ports.config.TTL_MAX_SECONDS,
      taskMaxBytes: ports.config.TASK_MAX_BYTES,
    };
    effects.commands.push(directCommandOf({ task, sid: event.sid, context }, origin, rules));
  },
  tag: async ({ change, tag, ttlSeconds, entireDevice }, { effects, event, data, origin, ports }) => {
    const name = render(tag, data, 'fault');
    if (name === '' || Buffer.byteLength(name) > TAG_MAX_BYTES)
      throw new RuleFault(`A tag has 1 to ${TAG_MAX_BYTES} bytes.`);
    const expires_at = ttlSeconds === undefined ? null : origin.nowMs + ttlSeconds * 1000;
    const changed = change === 'add' ? { add_tags: [{ tag: name, expires_at }] } : { remove_tags: [name] };
    const others = entireDevice && event.did !== '' ? await ports.devices.sensorsOf(event.oid, event.did) : [];
    for (const sid of new Set([event.sid, ...others]))
      effects.presence.push(changeOf(event.oid, sid, origin.nowMs, changed));
  },
  extension: async ({ name, action, request, basedOnReport }, input) => {
    const report = input.firing.reports.at(-1);
    if (basedOnReport && report === undefined) throw new RuleFault('No report was made before this action.');
    const data = basedOnReport && report !== undefined ? report.view : input.data;
    await askExtension(name, action, applyTransform(request, data, 'fault'), input);
  },
  isolate: ({ isolate }, { effects, event, origin }) => {
    effects.presence.push(changeOf(event.oid, event.sid, origin.nowMs, { set_should_isolate: isolate }));
  },
};

/** Other rules see these only as reports, and the rounds of reports are limited. */
const NOT_COUNTED_IN_DEPTH: ReadonlySet<Effect['type']> = new Set(['report', 'output']);

/** Adds what the action does to `effects`. Rejects only if Redis or Kafka does not answer: then the batch is tried again. */
export async function perform(input: FiringInput, action: Action): Promise<void> {
  const { ports, withdrawals, effects, firing, nowMs } = input;
  const { rule, event, mtd } = firing;
  const { oid, depth } = event;
  const name = ruleNameOf(firing);
  const { at, effect, right } = action;
  const freshId = ruleId(depth + 1, oid, name, at, event.eventId);
  const origin: Origin = { oid, issuedBy: `rule:${name}`, nowMs, freshId, keyHeader: undefined };
  const data = mtd === undefined ? event.view : { ...event.view, mtd };
  try {
    if (right !== null && !rule.rights.includes(right)) throw new RuleFault(notAllowed(right));
    if (depth >= DEPTH_MAX && !NOT_COUNTED_IN_DEPTH.has(effect.type))
      throw new RuleFault(`Rules have answered each other ${DEPTH_MAX} times: this action did not run.`);
    const run = PERFORM[effect.type] as Perform<Effect['type']>;
    await run(effect, { ports, withdrawals, effects, firing, event, at, origin, data });
  } catch (error) {
    if (error instanceof ApiError && error.retriable) throw error;
    effects.faults.push({ oid, rule: name, sentence: `${at}: ${sentenceOf(error)}` });
  }
}
