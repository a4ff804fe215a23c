/** A new rule. The editor starts with a small example. */
import { useState } from 'preact/hooks';
import { go } from '../router.ts';
import { current } from '../session.ts';
import { useLoaded } from '../ui/async.ts';
import { Head, Pending } from '../ui/bits.tsx';
import { HIVES, readRules, storeRule } from './rule-calls.ts';
import { RuleEditor } from './rule-editor.tsx';
import { loadRuleText, RULE_SAMPLE } from './rule-text.ts';

export function NewRulePage() {
  const { oid } = current();
  const yaml = useLoaded(loadRuleText, []);
  const [name, setName] = useState('');
  const [hive, setHive] = useState<string>(HIVES[0]);
  const [enabled, setEnabled] = useState(true);
  const [text, setText] = useState(RULE_SAMPLE);
  if (!yaml.value) return <Pending title="New rule" {...yaml} />;
  const target = { oid, hive, name: name.trim() };
  const store = async (data: unknown) => {
    const rules = await readRules(oid, AbortSignal.timeout(20_000));
    if (rules.some((rule) => rule.hive === hive && rule.name === target.name))
      throw new Error(`The rule ${target.name} already exists. Open it, or choose another name.`);
    await storeRule(target, { data, usr_mtd: { enabled } });
    go(`/rules/${hive}/${encodeURIComponent(target.name)}`);
  };
  return (
    <>
      <Head title="New rule" />
      <RuleEditor
        target={target}
        text={text}
        yaml={yaml.value}
        canStore={target.name !== ''}
        onText={setText}
        onStore={store}
      >
        <label>
          Name
          <input required data-first value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label>
          Hive
          <select value={hive} onChange={({ currentTarget }) => setHive(currentTarget.value)}>
            {HIVES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={enabled}
            onChange={({ currentTarget }) => setEnabled(currentTarget.checked)}
          />
          Enabled
        </label>
      </RuleEditor>
    </>
  );
}
