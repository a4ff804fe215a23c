/** What a task is: whole, however long, without taking the page from what it does. */
import type { TaskDetail } from '../api/types.ts';
import { count, shown, when } from '../format.ts';
import { Ago, Code } from '../ui/bits.tsx';
import { CopyBox } from '../ui/copy.tsx';
import { TimeLeft } from '../ui/time-left.tsx';

/** A longer one, or one of several lines, is not told by the title. */
const TITLE_CHARACTERS = 100;
const SELECTOR_CHARACTERS = 400;

export function TaskFacts({ task }: { task: TaskDetail }) {
  const ended = { pending: null, expired: 'Expired', removed: 'Removed' }[task.state];
  const selector = task.sensor_selector === '*' ? 'all sensors' : task.sensor_selector;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Sensors</dt>
          <dd class="mono">
            <Code text={selector} max={SELECTOR_CHARACTERS} />
          </dd>
        </div>
        <div>
          <dt>Queued</dt>
          <dd>
            <Ago at={task.created_at} />
            {task.issued_by ? ` by ${shown(task.issued_by)}` : ''}
          </dd>
        </div>
        <div>
          <dt>{ended ?? 'Until'}</dt>
          <dd>{ended ? when(task.ended_at ?? task.expires_at) : <TimeLeft task={task} />}</dd>
        </div>
        {task.context ? (
          <div>
            <dt>Context</dt>
            <dd class="mono">
              <bdi>{shown(task.context)}</bdi>
            </dd>
          </div>
        ) : null}
        <div>
          <dt>Task id</dt>
          <dd class="mono">{task.task_id}</dd>
        </div>
      </dl>
      <Whole name="command" text={task.task} from={TITLE_CHARACTERS} />
      <Whole name="selector" text={selector} from={SELECTOR_CHARACTERS} />
    </>
  );
}

function Whole({ name, text, from }: { name: string; text: string; from: number }) {
  if (text.length <= from && shown(text) === text && !text.includes('\n')) return null;
  return (
    <details class="whole">
      <summary>
        The whole {name}, {count(text.length)} characters
      </summary>
      <CopyBox label={name} text={text} wrap />
    </details>
  );
}
