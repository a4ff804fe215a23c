/**
 * `preview`: which sensors a selector matches now, how many of them are online, a page of them in the order of their sids,
 * and the clauses that exclude most. One pass over the projection for each page; memory holds twice the page. A clause is an
 * operand of the outermost `and`, or the whole selector; a sensor that fails several is counted at each. Where the first
 * that fails is an error, so is the whole.
 */
import type { Static } from '@sinclair/typebox';
import { readerOf } from '../../command/reader.ts';
import { PreviewSchema } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { platformName } from '../../model/platforms.ts';
import { compileSelector, printSelector, type SelectorAst, type Verdict } from '../../selector/index.ts';
import { cursorOf, placeOf } from '../http/cursor.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { type ScannedSensor, scanSensors } from '../sensors/scan.ts';
import { treeOf } from '../sensors/sensors.ts';
import { newSlices } from '../sensors/turns.ts';
import { Smallest } from '../tasks/smallest.ts';
import type { PreviewAnswer, PreviewRow } from './answers.ts';
import type { ActionContext, ActionResult } from './context.ts';

const PAGE_SENSORS = 100;
const CLAUSES_SHOWN = 20;

const read = readerOf(PreviewSchema);

export async function preview(data: unknown, context: ActionContext): Promise<ActionResult> {
  const query = read(data);
  const { selector } = readTarget(query);
  const listing = `preview ${selector}`;
  const after = placeOf(listing, query.cursor) ?? '';
  const { epoch } = await usableStatus(context.reads, context.oid);
  const { total, online, errors, page, excluded } = await fold(
    context,
    treeOf(selector),
    after,
    query.limit ?? PAGE_SENSORS,
  );
  const sensors = page.sorted().map((found) => rowOf(context, found));
  await stillUsable(context.reads, context.oid, epoch);
  return {
    status: 200,
    data: {
      total_sensors: total,
      online_sensors: online,
      sensors,
      excluded_by: excluded,
      ...(errors > 0 ? { error_sensors: errors } : {}),
      ...(page.overflowed ? { next_cursor: cursorOf(listing, sensors.at(-1)?.sid ?? '') } : {}),
    } satisfies Static<typeof PreviewAnswer>,
  };
}

type Found = ScannedSensor & { online: boolean };

async function fold(context: ActionContext, tree: SelectorAst | null, after: string, limit: number) {
  const page = new Smallest<Found>(limit, ({ sid }) => sid);
  const sums = { total: 0, online: 0, errors: 0 };
  const slices = newSlices();
  const clauses = clausesOf(tree).map((ast) => ({ ast, matches: compileSelector(ast, tree ?? ast), sensors: 0 }));
  const all = tree === null ? [] : [tree];
  // Not narrowed to the partition of a sid: those that it excludes are counted too.
  await scanSensors(context, context.oid, [{ type: 'everything' }], all, async ({ sensors, presenceOf }) => {
    const found = await slices.filter(sensors, ({ record }) => {
      let verdict: Verdict = true;
      for (const clause of clauses) {
        const answer = clause.matches(record);
        if (answer === true) continue;
        clause.sensors += 1;
        if (verdict === true) verdict = answer;
      }
      if (verdict === 'error') sums.errors += 1;
      return verdict === true;
    });
    const presence = await presenceOf(found.map(({ sid }) => sid));
    for (const [i, sensor] of found.entries()) {
      const online = presence[i]?.online === true;
      sums.total += 1;
      if (online) sums.online += 1;
      if (sensor.sid > after) page.add({ ...sensor, online });
    }
  });
  const excluded = clauses
    .filter(({ sensors }) => sensors > 0)
    .sort((a, b) => b.sensors - a.sensors)
    .slice(0, CLAUSES_SHOWN)
    .map(({ ast, sensors }) => ({ clause: printSelector(ast), sensors }));
  return { ...sums, page, excluded };
}

function clausesOf(tree: SelectorAst | null): readonly SelectorAst[] {
  if (tree === null || tree.type === 'everything') return [];
  return tree.type === 'and' ? tree.operands : [tree];
}

function rowOf({ decodeState }: ActionContext, { sid, facts, online }: Found): PreviewRow {
  const { sensor } = decodeState(facts);
  return { sid, hostname: sensor?.hostname ?? '', plat: sensor === null ? '' : platformName(sensor.plat), online };
}
