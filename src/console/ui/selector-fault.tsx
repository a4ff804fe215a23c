/** What is wrong with a selector: the sentence, and an arrow below the place that it speaks of. */
import { ApiFault } from '../api/client.ts';
import { sentenceOf } from './async.ts';

/** So much of a long selector is shown on each side of the place. */
const AROUND = 40;

export function SelectorFault({ error, selector }: { error: unknown; selector: string }) {
  const column = error instanceof ApiFault && typeof error.data.column === 'number' ? error.data.column : null;
  const from = Math.max(0, (column ?? 1) - 1 - AROUND);
  return (
    <div class="selector-fault" role="alert">
      {column === null ? null : (
        <pre aria-hidden="true">
          {selector.slice(from, from + 2 * AROUND).replace(/\s/g, ' ')}
          {'\n'}
          {`${' '.repeat(Math.max(0, column - 1 - from))}▲`}
        </pre>
      )}
      <p>{sentenceOf(error)}</p>
    </div>
  );
}
