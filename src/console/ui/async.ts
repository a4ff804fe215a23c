/** Something that is fetched for a component: the last good answer stays while the next one is under way. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFault } from '../api/client.ts';

export type Loaded<T> = { value: T | null; fault: string | null; busy: boolean; again(): void };

/** Fetches at first, when `keys` change, and on `again()`. An answer that has been overtaken is dropped. */
export function useLoaded<T>(fetcher: (stopped: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; fault: string | null; busy: boolean }>({
    value: null,
    fault: null,
    busy: true,
  });
  const [round, setRound] = useState(0);
  const last = useRef(fetcher);
  last.current = fetcher;
  useEffect(() => {
    const stopping = new AbortController();
    setState((was) => ({ ...was, busy: true }));
    last.current(stopping.signal).then(
      (value) => stopping.signal.aborted || setState({ value, fault: null, busy: false }),
      (error) => stopping.signal.aborted || setState((was) => ({ ...was, fault: sentenceOf(error), busy: false })),
    );
    return () => stopping.abort();
  }, [...keys, round]);
  return { ...state, again: () => setRound((n) => n + 1) };
}

export const sentenceOf = (error: unknown): string =>
  error instanceof ApiFault || error instanceof Error ? error.message : String(error);
