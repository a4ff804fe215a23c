/**
 * The live task events of the org, over one connection for the whole console. After a break it reconnects with Last-Event-ID,
 * after a pause that grows to 15 s. The browser's EventSource cannot send a token, so fetch reads the stream.
 */
import { signal } from '@preact/signals';
import { SseParser } from '../../text/sse.ts';
import { open } from './client.ts';
import type { ActivityEvent } from './types.ts';

type Listener = (name: string, activity: ActivityEvent) => void;

export const live = signal<'off' | 'connecting' | 'live'>('off');

/** The number of gaps: times at which the stream missed events. Everything that was read before a gap is read again. */
export const gaps = signal(0);

const listeners = new Set<Listener>();
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 15_000;
/** The server sends something every 15 s. A connection that is silent for longer is dead, for example after the computer slept. */
const SILENCE_MAX_MS = 40_000;
let stopping: AbortController | null = null;

/** Calls the listener for each event. Returns a function that stops it. */
export function onActivity(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startStream(oid: string): void {
  stopStream();
  stopping = new AbortController();
  void run(oid, stopping.signal);
}

export function stopStream(): void {
  stopping?.abort();
  stopping = null;
  live.value = 'off';
}

async function run(oid: string, stopped: AbortSignal): Promise<void> {
  const parser = new SseParser();
  let pauseMs = PAUSE_FIRST_MS;
  while (!stopped.aborted) {
    live.value = 'connecting';
    try {
      await readOnce(oid, parser, stopped, () => {
        pauseMs = PAUSE_FIRST_MS;
      });
    } catch {
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
    }
    if (stopped.aborted) return;
    live.value = 'connecting';
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function readOnce(oid: string, parser: SseParser, stopped: AbortSignal, opened: () => void): Promise<void> {
  parser.reset();
  const headers = parser.lastEventId === '' ? {} : { 'last-event-id': parser.lastEventId };
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE_MAX_MS);
  try {
    const signal = AbortSignal.any([stopped, silent.signal]);
    const response = await open(`/v1/orgs/${oid}/events`, { headers, signal });
    const reader = response.body?.getReader();
    if (!reader) return;
    live.value = 'live';
    opened();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MAX_MS);
      for (const { event, data } of parser.push(value)) dispatch(event, data);
    }
  } finally {
    clearTimeout(timer);
  }
}

function dispatch(event: string, data: string): void {
  if (event === 'gap') {
    gaps.value += 1;
    return;
  }
  const activity = JSON.parse(data) as ActivityEvent;
  for (const listener of listeners) listener(event, activity);
}
