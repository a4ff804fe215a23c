/** Data that a component fetches. The last good response stays until the next one arrives. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFault } from '../api/client.ts';
import { gaps } from '../api/stream.ts';

export type Loaded<T> = {
  value: T | null;
  error: unknown;
  fault: string | null;
  busy: boolean;
  again(): void;
  /** Sets a newer value that was fetched elsewhere. */
  put(value: T): void;
};

/** `error`: null if the last response was good. */
type State<T> = { of: string; value: T | null; error: unknown; busy: boolean };

/** Fetches at first, when `keys` change, after a gap in the events, after a while if the server is away, and on `again()`.
 *  A value is shown only with the keys that it was fetched for. A response that was overtaken by a later request is dropped. */
export function useLoaded<T>(fetcher: (stopped: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const of = keys.join('\n');
  const none: State<T> = { of, value: null, error: null, busy: true };
  const [kept, setState] = useState(none);
  const { value, error, busy } = kept.of === of ? kept : none;
  const [round, setRound] = useState(0);
  const last = useRef(fetcher);
  last.current = fetcher;
  useEffect(() => {
    const stopping = new AbortController();
    setState((was) => (was.of === of ? { ...was, busy: true } : none));
    last.current(stopping.signal).then(
      (value) => stopping.signal.aborted || setState({ of, value, error: null, busy: false }),
      (reason) => stopping.signal.aborted || setState((was) => ({ ...was, error: reason, busy: false })),
    );
    return () => stopping.abort();
  }, [of, round, gaps.value]);
  const again = () => setRound((n) => n + 1);
  useRetry(error, again);
  const fault = error === null ? null : sentenceOf(error);
  const put = (value: T) => setState({ of, value, error: null, busy: false });
  return { value, error, fault, busy, again, put };
}

const RETRY_MS = 5_000;

/** Repeats the request after a while, as long as the server, Kafka or Redis is away. */
export function useRetry(error: unknown, again: () => void): void {
  useEffect(() => {
    if (!(error instanceof ApiFault) || (error.status !== 0 && error.status !== 503)) return undefined;
    const timer = setTimeout(again, RETRY_MS);
    return () => clearTimeout(timer);
  }, [error]);
}

/** Longer than a pause between two keystrokes. */
const TYPING_MS = 300;

/** The value, after it has not changed for a moment. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
