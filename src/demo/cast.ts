/**
 * Who plays in the demonstration: 24 sensors, of which 18 are online from the start, 3 come online later, one of each
 * platform, and 3 stay away. The seed is chosen so that every selector of the examples finds sensors of the first two kinds
 * and leaves some out; a test holds it to that. No I/O.
 */
import { type FleetSensor, makeSensors } from '../fleet/sensor.ts';

export const CAST = { sensors: 24, offline: 6, seed: 46, firstSid: 'sensor-123-abc' } as const;

export type Cast = {
  all: FleetSensor[];
  online: FleetSensor[];
  /** Offline at first; they connect during the demonstration. */
  returning: FleetSensor[];
  /** Offline for good. */
  away: FleetSensor[];
};

export function makeCast(): Cast {
  const all = makeSensors(CAST.seed, CAST.sensors, CAST.firstSid);
  const offline = all.slice(CAST.sensors - CAST.offline);
  const platforms = new Set(offline.map(({ facts }) => facts.plat));
  const returning = [...platforms].map((plat) => offline.find(({ facts }) => facts.plat === plat) as FleetSensor);
  return {
    all,
    online: all.slice(0, CAST.sensors - CAST.offline),
    returning,
    away: offline.filter((sensor) => !returning.includes(sensor)),
  };
}
