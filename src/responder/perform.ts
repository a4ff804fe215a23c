/**
 * One action of a rule that matched -> effects. An action that fails is told with its rule's name, and the others go on.
 * Ids follow from event, rule and action, so that a repeat makes the same records.
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
import type { Acting, Stage } from './acting.ts';
import { changeOf } from './effects.ts';
import { askExtension } from './extension.ts';
import { outputOf, reportOf } from './report.ts';
import { ruleId } from './seen.ts';

/** Rules that answer each other end after so many turns. */
export const DEPTH_MAX = 8;

type Perform<T extends Effect['type']> = (effect: Extract<Effect, { type: T }>, acting: Acting) => void | Promise<void>;

const PERFORM: { [T in Effect['type']]: Perform<T> } = {
  report: (effect, { firing, effects, seen, at, origin }) => {
    const place = { hive: firing.rule.hive, rule: firing.rule.name, at };
    const { report, detection } = reportOf(effect, seen, firing.mtd, place, origin.nowMs);
    firing.reports.push(report);
    if (detection !== null) effects.detections.push(detection);
  },
  output: ({ name }, { effects, seen }) => {
    effects.outputs.push(outputOf(name, seen));
  },
  task: ({ command, investigation }, { effects, seen, data, origin, ports }) => {
    const task = render(command, data, 'fault');
    if (!seen.online) throw new RuleFault('The sensor is not online: `task` is sent now or not at all.');
    const context = investigation === undefined ? null : render(investigation, data, 'fault');
    const rules = {
      orgs: ports.orgs.table,
      ttlMaxSeconds: ports.config.TTL_MAX_SECONDS,
      taskMaxBytes: ports.config.TASK_MAX_BYTES,
    };
    effects.commands.push(directCommandOf({ task, sid: seen.sid, context }, origin, rules));
  },
  tag: async ({ change, tag, ttlSeconds, entireDevice }, { effects, seen, data, origin, ports }) => {
    const name = render(tag, data, 'fault');
    if (name === '' || Buffer.byteLength(name) > TAG_MAX_BYTES)
      throw new RuleFault(`A tag has 1 to ${TAG_MAX_BYTES} bytes.`);
    const expires_at = ttlSeconds === undefined ? null : origin.nowMs + ttlSeconds * 1000;
    const changed = change === 'add' ? { add_tags: [{ tag: name, expires_at }] } : { remove_tags: [name] };
    const others = entireDevice && seen.did !== '' ? await ports.devices.sensorsOf(seen.oid, seen.did) : [];
    for (const sid of new Set([seen.sid, ...others]))
      effects.presence.push(changeOf(seen.oid, sid, origin.nowMs, changed));
  },
  extension: async ({ name, action, request, basedOnReport }, acting) => {
    const report = acting.firing.reports.at(-1);
    if (basedOnReport && report === undefined) throw new RuleFault('No report is made before this action.');
    const data = basedOnReport && report !== undefined ? report.view : acting.data;
    await askExtension(name, action, applyTransform(request, data, 'fault'), acting);
  },
  isolate: ({ isolate }, { effects, seen, origin }) => {
    effects.presence.push(changeOf(seen.oid, seen.sid, origin.nowMs, { set_should_isolate: isolate }));
  },
};

/** These go on to other rules only as reports, whose rounds are bounded. */
const HARMLESS: ReadonlySet<Effect['type']> = new Set(['report', 'output']);

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Adds what the action does to `effects`. Rejects only where Redis can't be asked: then the batch is tried again. */
export async function perform({ ports, turn, effects, firing, nowMs }: Stage, action: Action): Promise<void> {
  const { rule, seen } = firing;
  const place = `${rule.hive}/${rule.name}`;
  const { at, effect, right } = action;
  const freshId = ruleId(seen.depth + 1, seen.oid, place, at, seen.eventId);
  const origin: Origin = { oid: seen.oid, issuedBy: `rule:${place}`, nowMs, freshId, keyHeader: undefined };
  const data = firing.mtd === undefined ? seen.view : { ...seen.view, mtd: firing.mtd };
  try {
    if (right !== null && !rule.rights.includes(right)) throw new RuleFault(notAllowed(right));
    if (seen.depth >= DEPTH_MAX && !HARMLESS.has(effect.type))
      throw new RuleFault(`Rules have answered each other ${DEPTH_MAX} times: this action is left out.`);
    await (PERFORM[effect.type] as Perform<Effect['type']>)(effect, {
      ...{ ports, turn, effects, firing, seen, at, origin, data },
    });
  } catch (error) {
    if (error instanceof ApiError && error.retriable) throw error;
    effects.faults.push({ oid: seen.oid, rule: place, sentence: `${at}: ${sentenceOf(error)}` });
  }
}
