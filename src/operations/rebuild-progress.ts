/** The progress of a rebuild, by the markers of the orgs and the ends of the log. Pure. */
import type { OrgStatus } from '../projector/projection.ts';

export type RebuildProgress = {
  orgs: number;
  usable: number /** Records, of the org that is furthest behind. */;
  done: number;
  total: number;
};

type Ends = ReadonlyMap<number, { low: number; high: number }>;

/** `statuses`: null for an org without a marker. A usable org is complete. */
export function progressOf(statuses: readonly (OrgStatus | null)[], commands: Ends, events: Ends): RebuildProgress {
  const total = sizeOf(commands) + sizeOf(events);
  const done = statuses.map((status) => {
    if (status?.usable) return total;
    return status ? applied(status.commandOffsets, commands) + applied(status.eventOffsets, events) : 0;
  });
  return {
    orgs: statuses.length,
    usable: statuses.filter((status) => status?.usable).length,
    done: Math.min(total, ...done),
    total,
  };
}

const sizeOf = (ends: Ends): number => [...ends.values()].reduce((sum, { low, high }) => sum + high - low, 0);

const applied = (offsets: ReadonlyMap<number, number>, ends: Ends): number =>
  [...ends].reduce((sum, [partition, { low, high }]) => {
    const next = offsets.get(partition) ?? low;
    return sum + Math.min(Math.max(next - low, 0), high - low);
  }, 0);
