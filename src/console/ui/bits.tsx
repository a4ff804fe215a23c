/** Small pieces that every page uses. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { ago, shown, when } from '../format.ts';
import { now } from './clock.ts';

const TITLE_MAX = 200;

/** A command line or a selector. It is always written from left to right. */
export function Code({ text, max }: { text: string; max?: number }) {
  return <bdi dir="ltr">{shown(text, max)}</bdi>;
}

/** The age of a time. The exact time is in the tooltip and in the markup. */
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

/** A page whose data is not there yet, or could not be read. */
export function Pending({ title, fault, again }: { title: string; fault: string | null; again(): void }) {
  return (
    <>
      <Head title={title} />
      {fault ? <Fault text={fault} again={again} /> : <p class="loading">Loading …</p>}
    </>
  );
}
