/** `explain`: why a selector does or does not match one sensor, clause by clause. */
import type { Command } from 'commander';
import { csv } from '../../../text/csv.ts';
import type { ExplainAnswer } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import { clientOf, type RowFlags, withApiOptions, withExamples, withRows } from '../../options.ts';
import { clip, table, visible } from '../../text/table.ts';

type Flags = ApiFlags & RowFlags;
type Verdict = ExplainAnswer['result'];

export function registerExplain(program: Command, io: Io): void {
  const command = program
    .command('explain')
    .summary('explain why a selector matches a sensor or not')
    .description('Shows each clause of a selector, the value of the sensor, and the verdict.')
    .argument('<selector>', 'the selector')
    .argument('<sid>', 'the sensor');
  withApiOptions(withRows(command)).action((selector: string, sid: string, flags: Flags) =>
    explain(selector, sid, flags, io),
  );
  withExamples(command, io, [
    ["explain 'plat == windows and vip in tags' sensor-123-abc", 'clause by clause'],
    ["explain 'plat == windows' sensor-123-abc --json | jq .result", 'the verdict, for programs'],
  ]);
}

async function explain(selector: string, sid: string, flags: Flags, io: Io): Promise<void> {
  const answer = await clientOf(flags, io).request<ExplainAnswer>('explain', { selector, sid });
  if (flags.json) io.out(prettyJson(answer));
  else if (flags.output === 'csv') {
    const rows = answer.clauses.map(({ column, clause, value, result }) => [column, clause, value, result]);
    io.out(csv(['column', 'clause', 'value', 'result'], rows));
  } else io.out(explainText(answer, painter(io.colour), io.columns));
}

export function explainText({ result, clauses }: ExplainAnswer, paint: Paint, columns: number): string {
  const whole = `${{ true: 'The sensor matches', false: 'The sensor does not match', error: 'The sensor does not match: an error occurred' }[`${result}`]}.\n`;
  if (clauses.length === 0) return whole;
  const wide = Math.max(20, Math.floor((columns - 20) / 2));
  const rows = clauses.map(({ column, clause, value, result: verdict }) => [
    verdictText(verdict, paint),
    String(column),
    clip(clause, wide),
    clip(value === null ? 'not known' : JSON.stringify(value), wide),
  ]);
  const reasons = [...new Set(clauses.flatMap(({ reason }) => reason ?? []))].map((reason) => `${visible(reason)}\n`);
  return `${whole}${reasons.join('')}\n${table(['VERDICT', 'COLUMN', 'CLAUSE', 'VALUE'], rows, paint)}`;
}

const verdictText = (verdict: Verdict, paint: Paint): string =>
  verdict === 'error' ? paint('yellow', 'error') : verdict ? paint('green', 'true') : paint('red', 'false');
