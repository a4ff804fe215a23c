/** Why a sensor that the search names is not listed for the task. */
import { action } from '../api/client.ts';
import type { Why } from '../api/types.ts';
import { current } from '../session.ts';
import { useLoaded, useSettled } from '../ui/async.ts';
import { Empty } from '../ui/bits.tsx';

const SID = /^[\w.:-]{1,128}$/;

export function WhyNot({ taskId, text }: { taskId: string; text: string }) {
  const { oid } = current();
  const sid = useSettled(text.trim());
  const { value } = useLoaded(
    async (stopped) => (SID.test(sid) ? action<Why>(oid, 'why', { task_id: taskId, sid }, stopped) : null),
    [oid, taskId, sid],
  );
  return (
    <Empty title="No sensor of this task matches the search">
      <p role="status">{value?.sentence ?? 'Enter a full sensor id to see why that sensor is not listed.'}</p>
    </Empty>
  );
}
