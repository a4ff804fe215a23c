/** Files that commands read and write; `-` is standard input. */
import { readFileSync, writeFileSync } from 'node:fs';
import { RuleError } from '../rules/errors.ts';
import { parseDocuments } from '../rules/text.ts';
import { CliError, EXIT, usageError } from './errors.ts';

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

const invalid = (file: string, sentence: string): CliError =>
  new CliError('rule_invalid', `${file}: ${sentence}`, { exitCode: EXIT.invalid });

/** A list in JSON or YAML, or one JSON object a line. */
export function readList(file: string): unknown[] {
  const text = readText(file);
  const value = tryJson(text) ?? linesOf(text) ?? documentOf(file, text);
  if (Array.isArray(value)) return value;
  throw invalid(file, 'It has to hold a list.');
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

function documentOf(file: string, text: string): unknown {
  try {
    return parseDocuments(text)[0];
  } catch (error) {
    if (error instanceof RuleError) throw invalid(file, error.sentence);
    throw error;
  }
}
