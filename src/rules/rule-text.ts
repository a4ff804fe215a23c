/** Parses the text of a rule, YAML or JSON, to plain data. The number of aliases is limited, because they can expand a small text to a huge one. */
import { parseAllDocuments } from 'yaml';
import { RULE_BOUNDS } from './bounds.ts';
import { RuleError } from './errors.ts';

const ALIASES_MAX = 50;
const DOCUMENTS_MAX = 2;

/** Deeper nesting would exhaust the stack of the YAML parser. */
const BRACKETS_MAX = 500;

function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at) | 0x20; // [ and {, ] and } are the same but for this bit
    if (code === 0x7b) depth += 1;
    else if (code === 0x7d && depth > 0) depth -= 1;
    if (depth > BRACKETS_MAX) return true;
  }
  return false;
}

/** The documents of a text, usually one. Throws a RuleError with line and column. */
export function parseDocuments(text: string): unknown[] {
  if (Buffer.byteLength(text) > RULE_BOUNDS.textBytes)
    throw new RuleError('text', `A rule may have at most ${RULE_BOUNDS.textBytes} bytes.`);
  if (isNestedTooDeep(text)) throw new RuleError('text', `Brackets are nested more than ${BRACKETS_MAX} levels deep.`);
  try {
    const documents = parseAllDocuments(text, { merge: true, prettyErrors: true });
    if (!Array.isArray(documents)) throw new Error('The text has no rule.');
    return documents.map((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw fault;
      return document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
    });
  } catch (error) {
    throw new RuleError('text', (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '');
  }
}

/** A rule is one document `{detect, respond}`, or two documents: the detect part and the list of actions. */
export function parseRuleText(text: string): unknown {
  const documents = parseDocuments(text);
  if (documents.length > DOCUMENTS_MAX) throw new RuleError('text', 'The text has more than two documents.');
  const [first, second] = documents;
  return documents.length === DOCUMENTS_MAX ? { detect: first, respond: second } : first;
}
