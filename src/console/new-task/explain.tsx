/** Clause by clause, why a selector matches one sensor, or does not. */
import { useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import type { Explanation } from '../api/types.ts';
import { useLoaded } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';

type Props = { oid: string; selector: string; sid: string | null; onSid(sid: string | null): void };

export function Explain({ oid, selector, sid, onSid }: Props) {
  const [text, setText] = useState('');
  return (
    <div class="explain">
      <h3>Explain one sensor</h3>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          onSid(text.trim() || null);
        }}
      >
        <input
          class="mono"
          aria-label="Sensor id to explain the selector for"
          placeholder="a sensor id, or choose one above"
          value={sid ?? text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            onSid(null);
          }}
        />
        <button type="submit">Explain</button>
      </form>
      {sid === null ? null : <Clauses oid={oid} selector={selector} sid={sid} />}
    </div>
  );
}

const VERDICTS = new Map<unknown, [string, string]>([
  [true, ['yes', 'matches']],
  [false, ['no', 'does not match']],
  ['error', ['err', 'cannot be evaluated']],
]);

function Clauses({ oid, selector, sid }: { oid: string; selector: string; sid: string }) {
  const { value, fault } = useLoaded(
    (stopped) => action<Explanation>(oid, 'explain', { selector, sid }, stopped),
    [oid, selector, sid],
  );
  if (fault) return <Fault text={fault} />;
  if (!value) return <p class="loading">Loading …</p>;
  return (
    <table class="clauses">
      <thead>
        <tr>
          <th scope="col">Clause</th>
          <th scope="col">Value of the sensor</th>
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        {value.clauses.map(({ clause, column, value: has, result, reason }) => {
          const [kind, word] = VERDICTS.get(result) ?? ['err', String(result)];
          return (
            <tr key={`${column} ${clause}`}>
              <td>
                <code>{clause}</code>
              </td>
              <td>
                <code>{has === undefined || has === null ? '–' : JSON.stringify(has)}</code>
              </td>
              <td class={`verdict ${kind}`}>
                {word}
                {reason && <p class="sub">{reason}</p>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
