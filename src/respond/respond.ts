/**
 * What was seen -> what is done about it: match -> suppress -> perform, and again for the reports of that round, since other
 * rules see them. Ends after a few rounds. Nothing is written here.
 */
import { isRunnable } from '../rules/actions.ts';
import type { Count, RuleMemory } from '../rules/memory.ts';
import { counted, runsNow } from '../rules/suppression.ts';
import { type Effects, noEffects } from './effects.ts';
import { firingsOf } from './match.ts';
import { type Firing, type Ports, perform, sentenceOf } from './perform.ts';
import type { Rulesets } from './rulesets.ts';
import type { Seen } from './seen.ts';

/** Reports on reports on reports. */
const ROUNDS_MAX = 4;
/** What one event can set off: so many actions, fewer where they write much. Reports that answer reports multiply. */
const COST_MAX = 1_000;

export type Responding = {
  readonly ports: Ports;
  readonly rulesets: Rulesets;
  readonly memory: RuleMemory;
  nowMs(): number;
};

/** Rejects only where Redis can't be asked. */
export async function respond(responding: Responding, seen: readonly Seen[]): Promise<Effects> {
  const { rulesets } = responding;
  const effects = noEffects();
  let firings = seen.flatMap((one) =>
    match(responding, effects, { ...one, made: { cost: 0 } }, rulesets.of(one.oid).forEvent(one.type)),
  );
  for (let round = 0; firings.length > 0; round += 1) {
    await act(responding, effects, firings);
    const reports = firings.flatMap(reportsOf);
    if (round === ROUNDS_MAX) {
      for (const {
        rule,
        seen: { oid },
      } of firings)
        effects.faults.push({ oid, rule: `${rule.hive}/${rule.name}`, sentence: 'Reports answer reports too often.' });
      break;
    }
    firings = reports.flatMap((one) => match(responding, effects, one, rulesets.of(one.oid).forDetection(one.type)));
  }
  return effects;
}

const match = (
  { rulesets, nowMs }: Responding,
  effects: Effects,
  seen: Seen,
  rules: ReturnType<ReturnType<Rulesets['of']>['forEvent']>,
): Firing[] => (rules.length === 0 ? [] : firingsOf(rules, seen, nowMs(), rulesets.lookups(seen.oid), effects));

/** The reports of a firing, as rules on detections see them. */
const reportsOf = ({ seen, reports }: Firing): Seen[] =>
  reports.map(({ detection: { detect_id: eventId, cat: type }, view }) => ({ ...seen, type, eventId, view }));

async function act(responding: Responding, effects: Effects, firings: readonly Firing[]): Promise<void> {
  const { ports, nowMs } = responding;
  const allowed = await suppress(responding, firings, effects);
  for (const firing of firings) {
    for (const action of firing.rule.respond) {
      const rule = `${firing.rule.hive}/${firing.rule.name}`;
      if (!isRunnable(action)) effects.faults.push({ oid: firing.seen.oid, rule, sentence: action.problem });
      else if (allowed(firing, action.at)) {
        const { made = { cost: 0 }, oid } = firing.seen;
        if (made.cost >= COST_MAX) effects.faults.push({ oid, rule, sentence: TOO_MUCH });
        else made.cost += await costOf(effects, () => perform(ports, effects, firing, action, nowMs()));
      }
    }
  }
}

const TOO_MUCH = `One event sets off at most ${COST_MAX} actions, fewer where they write much: this one is left out.`;
/** Bytes that cost as much as an action. */
const BYTES_OF_ACTION = 16_384;

async function costOf({ detections, outputs }: Effects, work: () => Promise<void>): Promise<number> {
  const before = [detections.length, outputs.length] as const;
  await work();
  const bodies = [...detections.slice(before[0]), ...outputs.slice(before[1])];
  const written = bodies.reduce((sum, { body }) => sum + body.length / BYTES_OF_ACTION, 0);
  return 1 + written;
}

/** Counts all times of the round in one trip for each org, and says which actions run. */
async function suppress(
  { memory }: Responding,
  firings: readonly Firing[],
  effects: Pick<Effects, 'faults'>,
): Promise<(firing: Firing, at: string) => boolean> {
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
