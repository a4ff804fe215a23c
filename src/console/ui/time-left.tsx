/** The time until a task expires, as a bar and in words. */
import type { Task } from '../api/types.ts';
import { span } from '../format.ts';
import { now } from './clock.ts';

export function TimeLeft({ task }: { task: Pick<Task, 'expires_at' | 'created_at'> }) {
  const left = task.expires_at - now.value;
  const share = Math.min(1, Math.max(0, left / Math.max(1, task.expires_at - task.created_at)));
  const text = left > 0 ? `${span(left)} left` : 'expired';
  return (
    <span class="left">
      <span class={`left-bar ${share < 0.1 ? 'low' : ''}`} aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
      </span>
      {text}
    </span>
  );
}
