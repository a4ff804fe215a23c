/** `explain`: why a selector does or does not match one sensor now: every clause with the value it met, and its verdict. */

import { readerOf } from '../../command/reader.ts';
import { ExplainSchema } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { explainSelector, parseSelector } from '../../selector/index.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { knownSensor } from '../sensors/sensors.ts';
import type { ActionContext, ActionResult } from './context.ts';

const read = readerOf(ExplainSchema);

export async function explain(data: unknown, context: ActionContext): Promise<ActionResult> {
  const { selector, sid } = read(data);
  const target = readTarget({ selector });
  const { epoch } = await usableStatus(context.reads, context.oid);
  const sensor = await knownSensor(context, context.oid, sid);
  await stillUsable(context.reads, context.oid, epoch);
  const { result, clauses } = explainSelector(parseSelector(target.selector), sensor.record);
  return {
    status: 200,
    data: { result, clauses: clauses.map((clause) => ({ ...clause, value: clause.value ?? null })) },
  };
}
