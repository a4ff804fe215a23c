/** The tasks that a sensor was sent, the newest first, kept current by the live events. */
import { useEffect } from 'preact/hooks';
import { call } from '../api/client.ts';
import { onActivity } from '../api/stream.ts';
import type { History } from '../api/types.ts';
import { useLoaded } from '../ui/async.ts';
import { Ago, Code, Fault } from '../ui/bits.tsx';
import { StateDot } from '../ui/progress.tsx';

const SHOWN = 100;
const FRESH_MS = 1_000;

/** Calls `again` a moment after an event about the sensor, once for several events. */
export function useSensorEvents(sid: string, again: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onActivity((_, { event }) => {
      if (event.sid !== sid) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        again();
      }, FRESH_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [sid]);
}

export function SensorHistory({ sid }: { sid: string }) {
  const path = `/v1/${encodeURIComponent(sid)}/tasks?limit=${SHOWN}`;
  const { value, fault, again } = useLoaded((signal) => call<History>(path, { signal }), [sid]);
  useSensorEvents(sid, again);
  return (
    <section class="card" aria-label="Task history">
      <h2>Task history</h2>
      <Fault text={fault} again={again} />
      {value?.tasks.length === 0 ? <p class="sub">None.</p> : null}
      <ul class="plain">
        {value?.tasks.map(({ task_id, task, state, at, reason }) => (
          <li key={task_id} title={reason}>
            <a class="command" href={`#/tasks/${encodeURIComponent(task_id)}`}>
              <Code text={task} />
            </a>
            <span class="row">
              <StateDot state={state} />
              <Ago at={at} />
            </span>
          </li>
        ))}
      </ul>
      {value && (!value.complete || value.tasks.length === SHOWN) ? (
        <p class="sub">Older tasks are not shown.</p>
      ) : null}
    </section>
  );
}
