/** The fields of a task. A long command line or selector is cut, and shown in full on request. */
import type { TaskDetail } from '../api/types.ts';
import { count, shown, when } from '../format.ts';
import { Ago, Code } from '../ui/bits.tsx';
import { CopyBox } from '../ui/copy.tsx';
import { TimeLeft } from '../ui/time-left.tsx';

/** The title of the page cuts a longer command line, and one with several lines. */
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
          <dt>{ended ?? 'Time left'}</dt>
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
      <FullText name="command line" text={task.task} from={TITLE_CHARACTERS} />
      <FullText name="selector" text={selector} from={SELECTOR_CHARACTERS} />
    </>
  );
}

function FullText({ name, text, from }: { name: string; text: string; from: number }) {
  if (text.length <= from && shown(text) === text && !text.includes('\n')) return null;
  return (
    <details class="whole">
      <summary>
        Full {name} ({count(text.length)} characters)
      </summary>
      <CopyBox label={name} text={text} wrap />
    </details>
  );
}
