import { makeSensor } from '../../src/fleet/sensor.ts';
import type { TaskDispatch } from '../../src/model/records.ts';

export const SENSOR = makeSensor(1, 1);

export const dispatch = (over: Partial<TaskDispatch> = {}): TaskDispatch => ({
  dispatch_id: 'd1',
  oid: '7e41e07b-c44c-43a3-b78d-41f34204789d',
  sid: SENSOR.sid,
  task_id: 't1',
  task: 'os_version',
  investigation_id: 'audit/t1',
  attempt: 1,
  connection_id: 'c1',
  dispatched_at: 1_000,
  expires_at: 10_000,
  ...over,
});
