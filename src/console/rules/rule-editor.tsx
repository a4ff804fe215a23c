/** The editor of a rule. The server checks the text without storing it, or stores it. The text stays until it is stored. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { checkRule, type RuleTarget } from './rule-calls.ts';
import type { RuleText } from './rule-text.ts';

const ROWS_MIN = 12;
const ROWS_MAX = 32;

type Props = {
  target: RuleTarget;
  text: string;
  yaml: RuleText;
  canStore: boolean;
  onText(text: string): void;
  /** Throws the error to show. */
  onStore(data: unknown): Promise<void>;
  children?: ComponentChildren;
};

export function RuleEditor({ target, text, yaml, canStore, onText, onStore, children }: Props) {
  const [fault, setFault] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async (what: (data: unknown) => Promise<unknown>, sentence: string) => {
    setBusy(true);
    setSaid('');
    try {
      await what(yaml.read(text));
      setFault(null);
      setSaid(sentence);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    setBusy(false);
  };
  const rows = Math.min(ROWS_MAX, Math.max(ROWS_MIN, text.split('\n').length + 1));
  return (
    <form
      class="card form"
      onSubmit={(event) => {
        event.preventDefault();
        void run(onStore, 'Saved.');
      }}
    >
      {children}
      <div class="field">
        <label for="rule">Rule</label>
        <textarea
          id="rule"
          class="mono code"
          rows={rows}
          spellcheck={false}
          wrap="off"
          value={text}
          aria-describedby="rule-hint"
          onInput={({ currentTarget }) => {
            setSaid('');
            onText(currentTarget.value);
          }}
        />
        <span class="hint" id="rule-hint">
          YAML or JSON: <code>detect</code> and <code>respond</code>. Comments are not kept.
        </span>
      </div>
      <Fault text={fault} />
      <div class="row">
        <button type="submit" class="primary" disabled={busy || !canStore}>
          Save
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => void run((data) => checkRule(target, data), 'The rule is valid.')}
        >
          Check
        </button>
        <span class="sub" role="status">
          {said}
        </span>
      </div>
    </form>
  );
}
