/** `selector eval`: tries selectors on sensors from a file, without a server. */
import { open, readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type EvaluatedSelector, evaluateSelector } from '../../../selector/evaluate/evaluate.ts';
import type { SelectorRecord } from '../../../selector/predicate.ts';
import { EXIT } from '../../codes.ts';
import { CliError, usageError } from '../../errors.ts';
import { type Io, json, type Paint, painter } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { clip, table, visible } from '../../text/table.ts';

type Flags = { sensors: string; expr?: string; file?: string; json?: boolean };

const SELECTOR_WIDTH = 60;
const ANSWERS = { 1: ['yes', 'green'], 0: ['no', 'dim'], e: ['error', 'yellow'] } as const;

export function registerSelector(program: Command, io: Io): void {
  const selector = program
    .command('selector')
    .summary('test selectors without a server')
    .description('Tests selectors without a server.');
  withExamples(selector, io, [
    ["selector eval --sensors sensors.json --expr 'plat == linux'", 'which of these sensors match'],
  ]);
  const command = selector
    .command('eval')
    .summary('test selectors on sensors from a file')
    .description(
      'Evaluates selectors on sensors from a file. The file is a JSON list of objects with the fields that selectors read. Fields may be nested. ' +
        'With --expr, the command exits with code 4 if the selector does not parse. With --file, such a selector is reported as a result. ' +
        'A selector that parses is evaluated even if a server would refuse it. --json prints the code and the column (from 1) of the error.',
    )
    .requiredOption('--sensors <file>', 'the sensors')
    .addOption(new Option('--expr <selector>', 'one selector').conflicts('file'))
    .option('--file <file>', 'selectors, one per line: text, or JSON with the field expr')
    .option('--json', 'print one JSON line per selector; results are 1, 0 or "e", in the order of the sensors')
    .action((flags: Flags) => evaluate(flags, io));
  withExamples(command, io, [
    ['selector eval --sensors sensors.json --expr \'"vip" in tags\'', 'which of these sensors match'],
    ['selector eval --sensors sensors.json --file cases.jsonl --json', 'many selectors, for programs'],
  ]);
}

async function evaluate(flags: Flags, io: Io): Promise<void> {
  const { sensors: sensorsFile, expr, file } = flags;
  if (expr === undefined && file === undefined) throw usageError('No selector is given.', 'Add --expr or --file.');
  const sensors = await readSensors(sensorsFile);
  if (file !== undefined) await evaluateFile(file, sensors, flags, io);
  else evaluateOne(expr ?? '', sensors, flags, io);
}

function evaluateOne(expr: string, sensors: readonly SelectorRecord[], flags: Flags, io: Io): void {
  const evaluated = evaluateSelector(expr, sensors);
  if (flags.json) io.out(json(evaluated));
  const { parses, error, code } = evaluated;
  if (!parses) throw new CliError(code ?? '', error ?? '', { exitCode: EXIT.invalid });
  if (flags.json) return;
  io.out(sensorTable(evaluated, sensors, painter(io.colour)));
  const reason = reasonOf(evaluated);
  if (reason !== '') io.err(`${reason}\n`);
}

/** The reason why a server refuses the selector, or why some sensors give an error; else ''. */
function reasonOf({ error, results, reason }: EvaluatedSelector): string {
  if (error !== null) return visible(error);
  if (reason !== undefined) return reason;
  return results.includes('e') ? 'Some sensors lack a field that the selector uses.' : '';
}

async function evaluateFile(file: string, sensors: readonly SelectorRecord[], flags: Flags, io: Io): Promise<void> {
  const rows: string[][] = [];
  for await (const { line, number } of linesOf(file)) {
    const evaluated = evaluateSelector(selectorOf(line, `${file}, line ${number}`), sensors);
    if (flags.json) io.out(json(evaluated));
    else rows.push(rowOf(evaluated));
  }
  if (!flags.json) io.out(table(['SELECTOR', 'YES', 'NO', 'ERROR', ''], rows, painter(io.colour)));
}

function sensorTable({ results }: EvaluatedSelector, sensors: readonly SelectorRecord[], paint: Paint): string {
  const rows = sensors.map((sensor, i) => {
    const [word, style] = ANSWERS[results[i] ?? 'e'];
    return [nameOf(sensor.sid), nameOf(sensor.hostname), paint(style, word)];
  });
  return table(['SID', 'HOSTNAME', 'SELECTED'], rows, paint);
}

const nameOf = (value: unknown): string => (typeof value === 'string' ? clip(value, 40) : '–');

function rowOf(evaluated: EvaluatedSelector): string[] {
  const { expr, parses, error, results } = evaluated;
  const text = clip(expr, SELECTOR_WIDTH);
  if (!parses) return [text, '–', '–', '–', visible(error ?? '')];
  const count = (answer: 0 | 1 | 'e') => String(results.filter((one) => one === answer).length);
  return [text, count(1), count(0), count('e'), reasonOf(evaluated)];
}

/** A selector cannot start with a brace, so such a line is JSON. */
function selectorOf(line: string, place: string): string {
  if (!line.startsWith('{')) return line;
  const { expr } = parsed(line, place) as { expr?: unknown };
  if (typeof expr === 'string') return expr;
  throw usageError(`${place}: the field expr is missing or is not a string.`);
}

async function readSensors(file: string): Promise<SelectorRecord[]> {
  const sensors = parsed(await readFile(file, 'utf8').catch((error) => refuse(file, error)), file);
  const isRecord = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one);
  if (!Array.isArray(sensors) || !sensors.every(isRecord)) {
    throw usageError(`${file}: the sensors must be a JSON list of objects.`);
  }
  return sensors as SelectorRecord[];
}

/** The lines that are not blank. */
async function* linesOf(file: string): AsyncGenerator<{ line: string; number: number }> {
  const handle = await open(file).catch((error) => refuse(file, error));
  try {
    let number = 0;
    for await (const line of handle.readLines({ encoding: 'utf8' })) {
      number += 1;
      if (line.trim() !== '') yield { line, number };
    }
  } finally {
    await handle.close();
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`${place}: not valid JSON: ${(error as Error).message}`);
  }
}

function refuse(file: string, error: unknown): never {
  throw usageError(`${file} cannot be read: ${(error as Error).message}`);
}
