/** The error of a selector: the message, and an arrow below the column. */
import { ApiFault } from '../api/client.ts';
import { sentenceOf } from './async.ts';

/** The number of characters that are shown on each side of the column. */
const CONTEXT_CHARACTERS = 40;

export function SelectorFault({ error, selector }: { error: unknown; selector: string }) {
  const column = error instanceof ApiFault && typeof error.data.column === 'number' ? error.data.column : null;
  const from = Math.max(0, (column ?? 1) - 1 - CONTEXT_CHARACTERS);
  return (
    <div class="selector-fault" role="alert">
      {column === null ? null : (
        <pre aria-hidden="true">
          {selector.slice(from, from + 2 * CONTEXT_CHARACTERS).replace(/\s/g, ' ')}
          {'\n'}
          {`${' '.repeat(Math.max(0, column - 1 - from))}▲`}
        </pre>
      )}
      <p>{sentenceOf(error)}</p>
    </div>
  );
}
