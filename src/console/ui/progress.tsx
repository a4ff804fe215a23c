/** States and their counts, as dots, bars and words. */
import type { Counts } from '../api/types.ts';
import { count, plural } from '../format.ts';
import { DELIVERY_STATES, labelOf, meaningOf, type ShownState } from './states.ts';

export function StateDot({ state }: { state: ShownState }) {
  return (
    <span class={`state ${state}`}>
      <i aria-hidden="true" />
      {labelOf(state)}
    </span>
  );
}

export const totalOf = (counts: Counts): number => DELIVERY_STATES.reduce((sum, state) => sum + counts[state], 0);

/** The progress of a task as a bar. Screen readers get the same in words. */
export function ProgressBar({ counts }: { counts: Counts | undefined }) {
  if (!counts) return <span class="bar empty" aria-hidden="true" />;
  const total = totalOf(counts);
  const present = DELIVERY_STATES.filter((state) => counts[state] > 0);
  const words = present.map((state) => `${count(counts[state])} ${labelOf(state)}`);
  const label = total === 0 ? 'No sensor matches' : `${plural(total, 'sensor')}: ${words.join(', ')}`;
  return (
    <span class="bar" role="img" aria-label={label} title={label}>
      {present.map((state) => (
        <i key={state} class={state} style={{ flexGrow: counts[state] }} />
      ))}
    </span>
  );
}

/** A summary beside the bar. Hidden from screen readers, which get the label of the bar. */
export function ProgressText({ counts }: { counts: Counts | undefined }) {
  if (!counts) return null;
  const total = totalOf(counts);
  const failed = counts.failed > 0 ? `, ${count(counts.failed)} ${labelOf('failed')}` : '';
  const text = total === 0 ? 'no sensor yet' : `${count(counts.done)} of ${count(total)} ${labelOf('done')}${failed}`;
  return (
    <span class="progress-text" aria-hidden="true">
      {text}
    </span>
  );
}

export function Legend({ counts }: { counts: Counts }) {
  return (
    <ul class="legend">
      {DELIVERY_STATES.map((state) => (
        <li key={state} title={meaningOf(state)}>
          <StateDot state={state} /> <b>{count(counts[state])}</b>
        </li>
      ))}
    </ul>
  );
}
