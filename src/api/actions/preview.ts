/**
 * `preview`: which sensors a selector matches now, how many of them are online, a page of them in the order of their sids, and the
 * clauses that exclude most. Each page is one pass over the projection; memory holds twice the page. A clause is an operand of the
 * outermost `and`, or the whole selector. A sensor that several clauses exclude counts for each of them. If the first clause that
 * excludes it is an error, the result of the whole selector is an error.
 */
import { type Static, Type } from '@sinclair/typebox';
import { nextCursor, page, shownHostname, shownSid, text, whole } from '../../command/fields.ts';
import { data, target } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { platformName } from '../../model/platforms.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import { printSelector } from '../../selector/language/print.ts';
import type { Verdict } from '../../selector/predicate.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { type ScannedSensor, scanSensors } from '../sensors/scan.ts';
import { newSlices, treeOf } from '../sensors/sensors.ts';
import { Smallest } from '../tasks/smallest.ts';
import { type ActionContext, defineAction, LOOK } from './action.ts';

const PAGE_SENSORS = 100;
const CLAUSES_SHOWN = 20;

const PreviewSchema = data({ ...target, ...page });

const PreviewAnswer = Type.Object({
  total_sensors: whole('Sensors that match now.'),
  online_sensors: whole('Matching sensors that are online.'),
  sensors: Type.Array(
    Type.Object({
      sid: shownSid,
      hostname: shownHostname,
      plat: text('The name of the platform; "" if unknown.'),
      online: Type.Boolean(),
    }),
    { description: 'A page, in the order of their sids.' },
  ),
  excluded_by: Type.Array(Type.Object({ clause: Type.String(), sensors: Type.Integer() }), {
    description: 'The clauses that exclude most, with the number of sensors that each excludes.',
  }),
  error_sensors: Type.Optional(
    whole(
      'Sensors for which the selector is an error, so that it does not match them: a fact that it uses is missing, or a text is too long for its regular expressions. Absent if there are none.',
    ),
  ),
  next_cursor: nextCursor,
});
type PreviewRow = Static<typeof PreviewAnswer>['sensors'][number];

export const preview = defineAction({
  name: 'preview',
  rights: LOOK,
  summary: 'Shows which sensors a selector matches now, and what excludes others.',
  schema: PreviewSchema,
  answers: { 200: PreviewAnswer },
  run: async (query, context) => ({ status: 200, data: await matching(query, context) }),
});

async function matching(
  query: Static<typeof PreviewSchema>,
  context: ActionContext,
): Promise<Static<typeof PreviewAnswer>> {
  const { selector } = readTarget(query);
  const listing = `preview ${selector}`;
  const after = startOf(listing, query.cursor) ?? '';
  const { epoch } = await usableStatus(context.reads, context.oid);
  const { total, online, errors, smallest, excluded } = await fold(
    context,
    treeOf(selector),
    after,
    query.limit ?? PAGE_SENSORS,
  );
  const sensors = smallest.sorted().map((found) => rowOf(context, found));
  await stillUsable(context.reads, context.oid, epoch);
  return {
    total_sensors: total,
    online_sensors: online,
    sensors,
    excluded_by: excluded,
    ...(errors > 0 ? { error_sensors: errors } : {}),
    ...(smallest.overflowed ? { next_cursor: cursorOf(listing, sensors.at(-1)?.sid ?? '') } : {}),
  };
}

type Found = ScannedSensor & { online: boolean };

async function fold(context: ActionContext, tree: SelectorAst | null, after: string, limit: number) {
  const smallest = new Smallest<Found>(limit, ({ sid }) => sid);
  const sums = { total: 0, online: 0, errors: 0 };
  const slices = newSlices();
  const clauses = clausesOf(tree).map((ast) => ({ ast, matches: compileSelector(ast, tree ?? ast), sensors: 0 }));
  const all = tree === null ? [] : [tree];
  // All partitions, even if the selector names a sid: the sensors that it excludes are counted too.
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
      if (sensor.sid > after) smallest.add({ ...sensor, online });
    }
  });
  const excluded = clauses
    .filter(({ sensors }) => sensors > 0)
    .sort((a, b) => b.sensors - a.sensors)
    .slice(0, CLAUSES_SHOWN)
    .map(({ ast, sensors }) => ({ clause: printSelector(ast), sensors }));
  return { ...sums, smallest, excluded };
}

function clausesOf(tree: SelectorAst | null): readonly SelectorAst[] {
  if (tree === null || tree.type === 'everything') return [];
  return tree.type === 'and' ? tree.operands : [tree];
}

function rowOf({ decodeState }: ActionContext, { sid, facts, online }: Found): PreviewRow {
  const { sensor } = decodeState(facts);
  return { sid, hostname: sensor?.hostname ?? '', plat: sensor === null ? '' : platformName(sensor.plat), online };
}
