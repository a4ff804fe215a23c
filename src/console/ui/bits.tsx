/** Small pieces that every page uses. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Counts, DeliveryState } from '../api/types.ts';
import { ago, count, plural, shown, when } from '../format.ts';
import { now } from './clock.ts';

const TITLE_MAX = 200;

/** In the order in which a bar shows them, with what each means. */
const LABELS: Readonly<Record<DeliveryState, string>> = {
  done: 'answered',
  failed: 'answered with an error',
  sent: 'sent, no answer yet',
  queued: 'waiting for the sensor',
  expired: 'ran out of time',
  removed: 'withdrawn',
};

export const STATES = Object.entries(LABELS) as [DeliveryState, string][];

export function StateDot({ state }: { state: string }) {
  return (
    <span class={`state ${state}`}>
      <i aria-hidden="true" />
      {state}
    </span>
  );
}

export const totalOf = (counts: Counts): number => STATES.reduce((sum, [state]) => sum + counts[state], 0);

/** How a task stands, as one bar; the same in words for those who do not see it. */
export function ProgressBar({ counts }: { counts: Counts | undefined }) {
  if (!counts) return <span class="bar empty" aria-hidden="true" />;
  const total = totalOf(counts);
  const words = STATES.filter(([state]) => counts[state] > 0).map(([state]) => `${count(counts[state])} ${state}`);
  const label = total === 0 ? 'No sensor matches' : `${plural(total, 'sensor')}: ${words.join(', ')}`;
  return (
    <span class="bar" role="img" aria-label={label} title={label}>
      {STATES.map(([state]) =>
        counts[state] > 0 ? <i key={state} class={state} style={{ flexGrow: counts[state] }} /> : null,
      )}
    </span>
  );
}

/** The same in a few words, for those who see the bar. */
export function ProgressText({ counts }: { counts: Counts | undefined }) {
  if (!counts) return null;
  const total = totalOf(counts);
  const failed = counts.failed > 0 ? `, ${count(counts.failed)} failed` : '';
  const text = total === 0 ? 'no sensor yet' : `${count(counts.done)} of ${count(total)} done${failed}`;
  return (
    <span class="progress-text" aria-hidden="true">
      {text}
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

/** A command or a selector: it reads from the left, whatever it begins with. */
export function Code({ text, max }: { text: string; max?: number }) {
  return <bdi dir="ltr">{shown(text, max)}</bdi>;
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

export function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  const text = shown(title, TITLE_MAX);
  useEffect(() => {
    document.title = `${text} – Reliable Tasking`;
  }, [text]);
  return (
    <header class="page-head">
      <h1>
        <bdi>{text}</bdi>
      </h1>
      <div class="actions">{children}</div>
    </header>
  );
}

/** A page whose subject is still fetched, or could not be. */
export function Pending({ title, fault, again }: { title: string; fault: string | null; again(): void }) {
  return (
    <>
      <Head title={title} />
      {fault ? <Fault text={fault} again={again} /> : <p class="loading">Loading …</p>}
    </>
  );
}
