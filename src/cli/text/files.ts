/** Files that commands read and write; `-` is standard input. */
import { readFileSync, writeFileSync } from 'node:fs';
import { RuleError } from '../../rules/errors.ts';
import { parseDocuments, parseRuleText } from '../../rules/rule-text.ts';
import { type CliError, cliError, usageError } from '../errors.ts';

const STDIN = 0;

export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`);
  }
}

export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw usageError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`);
  }
}

const invalid = (file: string, sentence: string): CliError => cliError('rule_invalid', `${file}: ${sentence}`);

/** Reads a list in JSON or YAML, or one JSON object per line. */
export function readList(file: string): unknown[] {
  const text = readText(file);
  const value = tryJson(text) ?? linesOf(text) ?? parsedBy(file, (yaml) => parseDocuments(yaml)[0], text);
  if (Array.isArray(value)) return value;
  throw invalid(file, 'The file must contain a list.');
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function linesOf(text: string): unknown[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const values = lines.map(tryJson);
  return lines.length === 0 || values.includes(undefined) ? undefined : values;
}

/** Reads a rule `{detect, respond}`: one document, two documents, or two files. */
export function readRule(file: string, respondFile?: string): unknown {
  const parsed = parsedBy(file, parseRuleText);
  const rule = isDetectAlone(parsed) ? { detect: parsed } : parsed;
  if (respondFile === undefined) return rule;
  return { ...(rule as object), respond: parsedBy(respondFile, (text) => parseDocuments(text)[0]) };
}

const isDetectAlone = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'op') && !Object.hasOwn(value, 'detect');

function parsedBy(file: string, parse: (text: string) => unknown, text = readText(file)): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RuleError) throw invalid(file, error.sentence);
    throw error;
  }
}
