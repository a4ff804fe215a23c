/** From which offset on the projection of an org needs the records of a partition. */
import type { RolePorts } from '../ports.ts';
import type { Kind } from './org-progress.ts';
import type { OrgStatus } from './projection.ts';

/** The clocks of the brokers and of this process differ: the first records of an org can seem older than its subscription. */
const SLACK_MS = 60_000;

export type StartOffsets = Record<Kind, ReadonlyMap<number, number>>;

/** Where the records of each org begin, if Redis does not have the offsets of all these partitions. */
export async function startOffsetsOf(
  { orgs, inbox }: Pick<RolePorts, 'orgs' | 'inbox'>,
  statuses: readonly (readonly [string, OrgStatus])[],
  partitions: readonly number[],
): Promise<Map<string, StartOffsets>> {
  const starts = new Map<string, StartOffsets>();
  for (const [oid, { commandOffsets, eventOffsets }] of statuses) {
    if (partitions.every((partition) => commandOffsets.has(partition) && eventOffsets.has(partition))) continue;
    const sinceMs = orgs.table.firstSubscribedAtMs(oid) - SLACK_MS;
    const [c, t] = await Promise.all([inbox.since('commands', sinceMs), inbox.since('taskEvents', sinceMs)]);
    starts.set(oid, { c, t });
  }
  return starts;
}

/** The offset that Redis has, or else the start. */
export function neededOffset(
  kind: Kind,
  partition: number,
  status: OrgStatus,
  starts: StartOffsets | undefined,
): number {
  const stored = kind === 'c' ? status.commandOffsets : status.eventOffsets;
  return stored.get(partition) ?? starts?.[kind].get(partition) ?? 0;
}
