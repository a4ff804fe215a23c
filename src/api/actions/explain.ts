/** `explain`: why a selector does or does not match one sensor now: every clause with the value that it read, and its verdict. */
import { Type } from '@sinclair/typebox';
import { sid, text, whole } from '../../command/fields.ts';
import { data } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { explainSelector } from '../../selector/evaluate/explain.ts';
import { parseSelector } from '../../selector/language/parse.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { knownSensor } from '../sensors/sensors.ts';
import { defineAction, LOOK } from './action.ts';

const verdict = Type.Union([Type.Boolean(), Type.Literal('error')]);

const ExplainAnswer = Type.Object({
  result: verdict,
  clauses: Type.Array(
    Type.Object({
      clause: Type.String(),
      column: whole('Where it starts in the selector, from 1.'),
      value: Type.Unknown({ description: 'The value that it read; null: none.' }),
      result: verdict,
      reason: Type.Optional(
        text('Why it is an error, if its regular expressions exceed the work limit of a selector.'),
      ),
    }),
  ),
});

export const explain = defineAction({
  name: 'explain',
  rights: LOOK,
  summary: 'Shows why a selector does or does not match a sensor.',
  schema: data({
    selector: Type.String({ expected: 'text: a selector', description: 'The selector to explain.' }),
    sid,
  }),
  answers: { 200: ExplainAnswer },
  run: async ({ selector, sid }, context) => {
    const target = readTarget({ selector });
    const { epoch } = await usableStatus(context.reads, context.oid);
    const sensor = await knownSensor(context, context.oid, sid);
    await stillUsable(context.reads, context.oid, epoch);
    const { result, clauses } = explainSelector(parseSelector(target.selector), sensor.record);
    return {
      status: 200,
      data: { result, clauses: clauses.map((clause) => ({ ...clause, value: clause.value ?? null })) },
    };
  },
});
