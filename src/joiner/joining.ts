/** What the handling of a batch may ask of the joiner. */
import type { Batch, RolePorts } from '../ports.ts';
import type { Why } from '../projector/projection.ts';
import type { Due } from './delivery/claim-batch.ts';
import type { Deliver } from './delivery/deliver.ts';
import type { Followers } from './followers.ts';
import type { OrgPartition, Sensor } from './org-partition.ts';
import type { Ownership } from './ownership.ts';
import type { Repeats } from './repeats.ts';

export type Joining = {
  readonly ports: RolePorts;
  readonly ownership: Ownership;
  readonly deliver: Deliver;
  readonly followers: Followers;
  readonly repeats: Repeats;
  /** How often in a row the batch of a partition of `sensor-events` could not be finished. */
  readonly tries: Map<number, number>;
  /** What is due of these sensors, as far as memory knows. */
  match(sensors: Iterable<Sensor>): Due[];
  /** Redis does not take us for the owner of the seat. */
  refused(orgPartition: OrgPartition, why: Why): void;
  commit(batch: Batch): Promise<void>;
};
