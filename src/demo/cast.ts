/**
 * The sensors of the demonstration: 18 of 24 are online from the start, 3 come online later (one of each platform), and 3 stay
 * offline. With this seed, every selector of the examples matches sensors of the first two groups and excludes some; a test checks
 * this. No I/O.
 */
import { type FleetSensor, makeSensors } from '../fleet/sensor.ts';

export const CAST = { sensors: 24, offline: 6, seed: 46, firstSid: 'sensor-123-abc' } as const;

export type Cast = {
  all: FleetSensor[];
  online: FleetSensor[];
  /** Offline at first. They connect during the demonstration. */
  returning: FleetSensor[];
  /** Always offline. */
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
