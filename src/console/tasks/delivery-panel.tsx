/** One delivery of a task: its state, the reason, and the responses of the sensor. */
import { action } from '../api/client.ts';
import type { DeliveryRow, Why } from '../api/types.ts';
import { shown, when } from '../format.ts';
import { current } from '../session.ts';
import { useLoaded } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { StateDot } from '../ui/progress.tsx';
import { Responses } from './responses.tsx';

export function DeliveryPanel({ taskId, row, onClose }: { taskId: string; row: DeliveryRow; onClose(): void }) {
  const why = useLoaded(
    (stopped) => action<Why>(current().oid, 'why', { task_id: taskId, sid: row.sid }, stopped),
    [taskId, row.sid, row.state],
  );
  return (
    <Dialog side title={shown(row.hostname || row.sid)} onClose={onClose}>
      <p>
        <StateDot state={why.value?.state ?? row.state} />
      </p>
      <p class="why">{why.value?.sentence ?? row.reason}</p>
      <Fault text={why.fault} again={why.again} />
      <dl class="facts">
        <div>
          <dt>Attempts</dt>
          <dd>{row.attempt}</dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>{when(why.value?.at ?? row.at)}</dd>
        </div>
        <div>
          <dt>Sensor id</dt>
          <dd class="mono">{row.sid}</dd>
        </div>
      </dl>
      <Responses oid={current().oid} taskId={taskId} sid={row.sid} received={row.response_count} />
      <a class="button" href={`#/sensors/${encodeURIComponent(row.sid)}`}>
        Show this sensor
      </a>
    </Dialog>
  );
}
