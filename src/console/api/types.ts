/** The console's names for the API's answers. Their fields are generated from the OpenAPI description. */
import type { components, operations } from './generated.ts';

type Schemas = components['schemas'];
type Answer<Operation extends keyof operations> = operations[Operation] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

export type Envelope<T> = { error: string; version: number; data: T };
export type ErrorEnvelope = Omit<Schemas['Error'], 'data'> & { data: Record<string, unknown> };

/** An accepted task has only its id. */
export type Tasked = Schemas['task_answer'] | Schemas['task_accepted'];
export type TaskPage = Schemas['list_answer'];
export type Task = TaskPage['tasks'][number];
export type TaskDetail = Schemas['get_answer'];
export type TaskState = TaskDetail['state'];
export type Counts = TaskDetail['counts'];
export type DeliveryRow = TaskDetail['sensors'][number];
export type DeliveryState = DeliveryRow['state'];

export type Preview = Schemas['preview_answer'];
export type Explanation = Schemas['explain_answer'];
export type Verdict = Explanation['result'];
export type Why = Schemas['why_answer'];
export type Results = Answer<'get_v1_orgs_oid_tasks_task_id_results'>;
export type SensorResponse = Results['sensors'][number]['responses'][number];

export type Sensor = Answer<'get_v1_sid'>;
export type SensorInfo = Sensor['info'];
export type SensorPage = Answer<'get_v1_sensors_oid'>;
export type History = Answer<'get_v1_sid_tasks'>;
export type Presence = Answer<'post_v1_online_oid'>;

export type Stats = Answer<'get_v1_orgs_oid_stats'>;
export type Detections = Answer<'get_v1_orgs_oid_detections'>;
export type Detection = Detections['detections'][number];
export type HiveRecord = Answer<'get_v1_hive_hive_oid_name_data'>;

export type Token = Answer<'post'>;
export type UserOrgs = Answer<'get_v1_user_orgs'>;
export type Subscriptions = Answer<'get_v1_orgs_oid_subscriptions'>;
export type ActivityEvent = Schemas['activity'];
