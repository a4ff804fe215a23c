/** The sensors that a selector matches: their number and a sample. Requested when the user pauses typing. */
import { useRef } from 'preact/hooks';
import { action } from '../api/client.ts';
import type { Preview } from '../api/types.ts';
import { useLoaded, useSettled } from '../ui/async.ts';

const SAMPLE = 8;

export type Targets = {
  /** The selector of `last` and `error`; '' if there is none. */
  asked: string;
  /** The last response stays until the next one arrives, so that the page does not jump at each keystroke. */
  last: Preview | null;
  /** The response for exactly the current selector; null while there is none. */
  current: Preview | null;
  error: unknown;
  /** Whether `error` is about the current selector. */
  isFailed: boolean;
  put(preview: Preview): void;
};

export const previewOf = (oid: string, selector: string, stopped?: AbortSignal): Promise<Preview> =>
  action<Preview>(oid, 'preview', { selector, limit: SAMPLE }, stopped);

export function useTargets(oid: string, target: string): Targets {
  const asked = useSettled(target);
  const { value, error, busy, put } = useLoaded<Preview | null>(
    async (stopped) => (asked === '' ? null : previewOf(oid, asked, stopped)),
    [oid, asked],
  );
  const last = useRef<Preview | null>(null);
  if (value || error !== null || asked === '') last.current = value;
  const isSettled = asked === target;
  const current = isSettled && !busy && error === null ? value : null;
  return { asked, last: last.current, current, error, isFailed: isSettled && error !== null, put };
}
