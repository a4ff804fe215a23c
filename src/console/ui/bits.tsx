/** Small pieces that every page uses. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Counts, PairState } from '../api/types.ts';
import { ago, count, when } from '../format.ts';
import { now } from './clock.ts';

/** In the order in which a bar shows them, with what each means. */
export const STATES: readonly [PairState, string][] = [
  ['done', 'answered'],
  ['failed', 'answered with an error'],
  ['sent', 'sent, no answer yet'],
  ['queued', 'waiting for the sensor'],
  ['expired', 'ran out of time'],
  ['removed', 'withdrawn'],
];

export function StateDot({ state }: { state: string }) {
  return (
    <span class={`state ${state}`}>
      <i aria-hidden="true" />
      {state}
    </span>
  );
}

/** How a task stands, as one bar; the same in words for those who do not see it. */
export function ProgressBar({ counts }: { counts: Counts | undefined }) {
  if (!counts) return <span class="bar empty" aria-hidden="true" />;
  const total = STATES.reduce((sum, [state]) => sum + counts[state], 0);
  const words = STATES.filter(([state]) => counts[state] > 0).map(([state]) => `${count(counts[state])} ${state}`);
  const label = total === 0 ? 'No sensor matches' : `${count(total)} sensors: ${words.join(', ')}`;
  return (
    <span class="bar" role="img" aria-label={label} title={label}>
      {STATES.map(([state]) =>
        counts[state] > 0 ? <i key={state} class={state} style={{ flexGrow: counts[state] }} /> : null,
      )}
    </span>
  );
}

export function Legend({ counts }: { counts: Counts }) {
  return (
    <ul class="legend">
      {STATES.map(([state, meaning]) => (
        <li key={state} title={meaning}>
          <StateDot state={state} /> <b>{count(counts[state])}</b>
        </li>
      ))}
    </ul>
  );
}

/** A moment, as an age; the exact time on hover and for programs. */
export function Ago({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={when(at)}>
      {ago(at, now.value)}
    </time>
  );
}

export function Fault({ text, again }: { text: string | null; again?: () => void }) {
  if (text === null) return null;
  return (
    <p class="fault" role="alert">
      {text}
      {again ? (
        <button type="button" class="quiet" onClick={again}>
          Try again
        </button>
      ) : null}
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty-note">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function CopyBox({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <div class="copy">
      <div class="copy-head">
        <span>{label}</span>
        <button type="button" class="quiet" onClick={copy} aria-live="polite">
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

export function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      <div class="actions">{children}</div>
    </header>
  );
}
