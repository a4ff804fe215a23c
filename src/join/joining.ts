/** What the handling of a batch may ask of the joiner. */
import type { Batch, RolePorts } from '../ports.ts';
import type { Why } from '../projection/store.ts';
import type { Deliver } from './deliver.ts';
import type { Due } from './flight.ts';
import type { Followers } from './followers.ts';
import type { Repeats } from './repeats.ts';
import type { Seat, Sensor } from './seat.ts';
import type { Seats } from './seats.ts';

export type Joining = {
  readonly ports: RolePorts;
  readonly seats: Seats;
  readonly deliver: Deliver;
  readonly followers: Followers;
  readonly repeats: Repeats;
  /** How often in a row the batch of a partition of `sensor-events` could not be finished. */
  readonly tries: Map<number, number>;
  /** What is due of these sensors, as far as memory knows. */
  match(sensors: Iterable<Sensor>): Due[];
  /** Redis does not take us for the owner of the seat. */
  refused(seat: Seat, why: Why): void;
  commit(batch: Batch): Promise<void>;
};
