/** The dialog before a task goes to many sensors: it shows the task and the number of sensors, and asks for that number. */
import { plural, shown, span } from '../format.ts';
import { Code } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TypeNumber } from '../ui/type-number.tsx';
import { type Draft, queueLabel, targetOf, ttlSeconds } from './draft.ts';
import type { Asked, Queueing } from './use-queueing.ts';

/** A longer selector is cut here. The page behind the dialog shows it in full. */
const SELECTOR_CHARACTERS = 400;

type Props = { draft: Draft; asked: Asked; queueing: Queueing };

export function ConfirmQueue({ draft, asked, queueing }: Props) {
  const { total_sensors: total, online_sensors: online } = asked.preview;
  const { doing, fault, run, cancel } = queueing;
  const changed = `The number has changed: ${plural(asked.before, 'sensor')} before, ${plural(total, 'sensor')} now.`;
  return (
    <Dialog title={`${queueLabel(total)}?`} onClose={cancel}>
      <dl class="facts">
        <div class="whole-row">
          <dt>Command line</dt>
          <dd class="mono">
            <Code text={draft.command} />
          </dd>
        </div>
        <div class="whole-row">
          <dt>Sensors</dt>
          <dd class="mono">
            {targetOf(draft) === '*' ? 'all sensors' : <Code text={targetOf(draft)} max={SELECTOR_CHARACTERS} />}
          </dd>
        </div>
        <div>
          <dt>Match now</dt>
          <dd>{plural(total, 'sensor')}</dd>
        </div>
        <div>
          <dt>Online now</dt>
          <dd>{plural(online, 'sensor')}</dd>
        </div>
        <div>
          <dt>Time to live</dt>
          <dd>{span(ttlSeconds(draft) * 1000)}</dd>
        </div>
        {draft.context === '' ? null : (
          <div>
            <dt>Context</dt>
            <dd class="mono">
              <bdi>{shown(draft.context)}</bdi>
            </dd>
          </div>
        )}
      </dl>
      <TypeNumber
        sensors={total}
        purpose={`To queue it for ${plural(total, 'sensor')}`}
        fault={fault ?? (asked.before === total ? null : changed)}
        onTyped={() => void run(total, true)}
      >
        <button type="button" onClick={cancel}>
          Cancel
        </button>
        <button type="submit" class="primary" aria-disabled={doing !== null}>
          {doing === null ? queueLabel(total) : doing === 'counting' ? 'Counting …' : 'Queueing …'}
        </button>
      </TypeNumber>
    </Dialog>
  );
}
