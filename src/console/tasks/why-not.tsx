/** What a search for a sensor says that is not among those of a task: why it is not. */
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
    <Empty title="No sensor of this task matches your search">
      <p role="status">{value?.sentence ?? 'Write a whole sensor id to see why it is not among them.'}</p>
    </Empty>
  );
}
