/**
 * What was seen -> what is done about it: match -> suppress -> perform, and again for the reports of that round, since other
 * rules see them. Ends after a few rounds. Effects are handed over to be written as soon as there are many of them, so that
 * no more are held than one part and what one event sets off.
 */

import type { Count, RuleMemory } from '../rules/memory.ts';
import { isRunnable } from '../rules/respond/actions.ts';
import { counted, runsNow } from '../rules/respond/suppression.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import { newEventBudget } from '../rules/view.ts';
import type { Firing, Ports } from './acting.ts';
import { type Effects, noEffects } from './effects.ts';
import { Matcher } from './match.ts';
import { perform, sentenceOf } from './perform.ts';
import type { Rulesets } from './rulesets.ts';
import type { Made, Seen } from './seen.ts';
import { Turn } from './turn.ts';

/** Reports on reports on reports. */
const ROUNDS_MAX = 4;
/** What one event can set off: so many actions, fewer where they write much. Reports that answer reports multiply. */
const COST_MAX = 1_000;
/** Effects that cost so much are written before there are more. */
const PART_COST = 1_000;

export type Responding = {
  readonly ports: Ports;
  readonly rulesets: Rulesets;
  readonly memory: RuleMemory;
  nowMs(): number;
};

/** `seen` comes part by part; the counts of a part are asked for together. Rejects only where Redis can't be asked, or where
 *  `seen` or `write` does: what was written by then is written again, with the same ids. */
export async function respond(
  responding: Responding,
  seen: AsyncIterable<readonly Seen[]> | Iterable<readonly Seen[]>,
  write: (effects: Effects) => Promise<void>,
): Promise<void> {
  const turn = new Turn(responding.ports);
  const matcher = new Matcher();
  let [effects, held] = [noEffects(), 0];
  for await (const part of seen) {
    const matched: { made: Made; firings: Firing[] }[] = [];
    for (const one of part) {
      const rules = responding.rulesets.of(one.oid).forEvent(one.type);
      if (rules.length === 0) continue;
      const made = { cost: 0, budget: newEventBudget() };
      const firings = await match(responding, matcher, effects, { ...one, made }, rules);
      // Most events set nothing off: they cost no more than their rules.
      if (firings.length > 0) matched.push({ made, firings });
    }
    const allowed = await suppress(
      responding,
      matched.flatMap(({ firings }) => firings),
      effects,
    );
    for (const { made, firings } of matched) {
      await setOff(responding, turn, matcher, effects, firings, allowed);
      held += made.cost;
      if (held < PART_COST) continue;
      await write(effects);
      [effects, held] = [noEffects(), 0];
    }
  }
  await write(effects);
}

/** Whatever one event sets off, round by round. */
async function setOff(
  responding: Responding,
  turn: Turn,
  matcher: Matcher,
  effects: Effects,
  first: Firing[],
  allowedFirst: Allowed,
): Promise<void> {
  let [firings, allowed] = [first, allowedFirst];
  for (let round = 0; firings.length > 0; round += 1) {
    await act(responding, turn, effects, firings, allowed);
    if (round === ROUNDS_MAX) {
      for (const { rule, seen } of firings)
        effects.faults.push({
          ...{ oid: seen.oid, rule: `${rule.hive}/${rule.name}` },
          sentence: 'Reports answer reports too often.',
        });
      return;
    }
    const reports = firings.flatMap(reportsOf);
    firings = [];
    for (const one of reports) {
      const rules = responding.rulesets.of(one.oid).forDetection(one.type);
      firings.push(...(await match(responding, matcher, effects, one, rules)));
    }
    allowed = await suppress(responding, firings, effects);
  }
}

const match = async (
  { rulesets, nowMs }: Responding,
  matcher: Matcher,
  effects: Effects,
  seen: Seen,
  rules: readonly NamedRule[],
): Promise<Firing[]> =>
  rules.length === 0 ? [] : matcher.firingsOf(rules, seen, nowMs(), rulesets.lookups(seen.oid), effects);

/** The reports of a firing, as rules on detections see them. */
const reportsOf = ({ seen, reports }: Firing): Seen[] =>
  reports.map(({ detectId: eventId, cat: type, view }) => ({ ...seen, type, eventId, view }));

async function act(
  { ports, nowMs }: Responding,
  turn: Turn,
  effects: Effects,
  firings: readonly Firing[],
  allowed: Allowed,
): Promise<void> {
  for (const firing of firings) {
    for (const action of firing.rule.respond) {
      const rule = `${firing.rule.hive}/${firing.rule.name}`;
      if (!isRunnable(action)) effects.faults.push({ oid: firing.seen.oid, rule, sentence: action.problem });
      else if (allowed(firing, action.at)) {
        const { made = { cost: 0 }, oid } = firing.seen;
        if (made.cost >= COST_MAX) effects.faults.push({ oid, rule, sentence: TOO_MUCH });
        else
          made.cost += await costOf(effects, firing, () =>
            perform({ ports, turn, effects, firing, nowMs: nowMs() }, action),
          );
      }
    }
  }
}

const TOO_MUCH = `One event sets off at most ${COST_MAX} actions, fewer where they write much: this one is left out.`;
/** Bytes, and records without a body, that cost as much as an action. */
const BYTES_OF_ACTION = 16_384;
const RECORDS_OF_ACTION = 16;

async function costOf(effects: Effects, firing: Firing, work: () => Promise<void>): Promise<number> {
  const { outputs, commands, presence } = effects;
  const before = { reports: firing.reports.length, outputs: outputs.length, bare: commands.length + presence.length };
  await work();
  const bytes = [
    ...firing.reports.slice(before.reports).map(({ bytes: size }) => size),
    ...outputs.slice(before.outputs).map(({ body }) => body.length),
  ].reduce((sum, size) => sum + size, 0);
  const bare = commands.length + presence.length - before.bare;
  return 1 + bytes / BYTES_OF_ACTION + bare / RECORDS_OF_ACTION;
}

type Allowed = (firing: Firing, at: string) => boolean;

/** Counts all times of the round in one trip for each org, and says which actions run. */
async function suppress(
  { memory }: Responding,
  firings: readonly Firing[],
  effects: Pick<Effects, 'faults'>,
): Promise<Allowed> {
  const asked = firings.flatMap((firing) => timesOf(firing, effects));
  if (asked.length === 0) return () => true;
  const before = await memory.count(asked.map(({ count }) => count));
  const held = new Map<Firing, Set<string>>();
  for (const [i, { firing, at, runs }] of asked.entries())
    if (!runs(before[i] ?? 0)) held.set(firing, (held.get(firing) ?? new Set()).add(at));
  return (firing, at) => held.get(firing)?.has(at) !== true;
}

type Time = { firing: Firing; at: string; count: Count; runs(before: number): boolean };

/** The actions of a firing that are counted. A key that can't be made is told, and the action is counted by itself. */
function timesOf(firing: Firing, effects: Pick<Effects, 'faults'>): Time[] {
  const { rule, seen, mtd } = firing;
  const data = mtd === undefined ? seen.view : { ...seen.view, mtd };
  return rule.respond.flatMap((action) => {
    if (!isRunnable(action) || action.suppression === undefined) return [];
    const { suppression, at } = action;
    const place = `${rule.hive}/${rule.name}/${at}`;
    const counts = () => counted(suppression, data, seen.sid, place);
    const { key, by } = orElse(counts, (sentence) => {
      effects.faults.push({ oid: seen.oid, rule: `${rule.hive}/${rule.name}`, sentence: `${at}: ${sentence}` });
      return { key: place, by: 1 };
    });
    const { periodMs, maxCount } = suppression;
    const count = { oid: seen.oid, key, id: `${seen.eventId} ${place}`, by, periodMs, maxCount };
    return [{ firing, at, count, runs: (before: number) => runsNow(suppression, before, by) }];
  });
}

function orElse<T>(make: () => T, otherwise: (sentence: string) => T): T {
  try {
    return make();
  } catch (error) {
    return otherwise(sentenceOf(error));
  }
}
