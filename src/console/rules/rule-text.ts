/** Rules as YAML text. The parser is loaded when a rule is opened. */
export type RuleText = {
  /** Throws an Error with line and column. */
  read(text: string): unknown;
  write(data: unknown): string;
};

/** The same limit as for rule files: a small text must not become a huge document. */
const ALIASES_MAX = 50;

export async function loadRuleText(): Promise<RuleText> {
  const { parseDocument, stringify } = await import('yaml');
  return {
    read(text) {
      const document = parseDocument(text, { merge: true });
      const [fault] = document.errors;
      if (fault) throw new Error((fault.message.split('\n')[0] ?? '').replace(/:$/, '.'));
      return document.toJS({ maxAliasCount: ALIASES_MAX });
    },
    write: (data) => stringify(data),
  };
}

export const RULE_SAMPLE = `detect:
  event: RECEIPT
  op: is greater than
  path: event/ERROR
  value: 0
respond:
- action: report
  name: A task has failed
`;
