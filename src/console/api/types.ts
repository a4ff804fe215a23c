/** The console's words for what the API answers; what they hold is generated from the API's own description. */
import type {
  Activity,
  Error as ErrorBody,
  ExplainAnswer,
  GetAnswer,
  GetV1HiveHiveOidNameDataAnswer,
  GetV1OrgsOidDetectionsAnswer,
  GetV1OrgsOidStatsAnswer,
  GetV1OrgsOidSubscriptionsAnswer,
  GetV1OrgsOidTasksTaskIdResultsAnswer,
  GetV1SensorsOidAnswer,
  GetV1SidAnswer,
  GetV1SidTasksAnswer,
  GetV1UserOrgsAnswer,
  ListAnswer,
  PostAnswer,
  PostV1OnlineOidAnswer,
  PreviewAnswer,
  TaskAccepted,
  TaskAnswer,
  WhyAnswer,
} from './generated.ts';

export type Envelope<T> = { error: string; version: number; data: T };
export type ErrorEnvelope = Omit<ErrorBody, 'data'> & { data: Record<string, unknown> };

/** Accepted ones say no more than the id. */
export type Tasked = TaskAnswer | TaskAccepted;
export type TaskPage = ListAnswer;
export type Task = ListAnswer['tasks'][number];
export type TaskDetail = GetAnswer;
export type Counts = GetAnswer['counts'];
export type DeliveryRow = GetAnswer['sensors'][number];
export type DeliveryState = DeliveryRow['state'];

export type Preview = PreviewAnswer;
export type Explanation = ExplainAnswer;
export type Verdict = ExplainAnswer['result'];
export type Why = WhyAnswer;
export type Results = GetV1OrgsOidTasksTaskIdResultsAnswer;
export type SensorResponse = Results['sensors'][number]['responses'][number];

export type Sensor = GetV1SidAnswer;
export type SensorInfo = GetV1SidAnswer['info'];
export type SensorPage = GetV1SensorsOidAnswer;
export type History = GetV1SidTasksAnswer;
export type Presence = PostV1OnlineOidAnswer;

export type Stats = GetV1OrgsOidStatsAnswer;
export type Detections = GetV1OrgsOidDetectionsAnswer;
export type Detection = Detections['detections'][number];
export type HiveRecord = GetV1HiveHiveOidNameDataAnswer;

export type Token = PostAnswer;
export type UserOrgs = GetV1UserOrgsAnswer;
export type Subscriptions = GetV1OrgsOidSubscriptionsAnswer;
export type ActivityEvent = Activity;
