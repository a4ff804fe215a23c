/** A start that fails leaves no member of a group behind: the same process tries it again. */
import { expect, it } from 'vitest';
import { clockOf } from '../../src/async/clock.ts';
import { readConfig } from '../../src/config.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { GroupOptions, RolePorts } from '../../src/ports.ts';
import { startProjector } from '../../src/projector/projector.ts';

it('leaves its group when the inspector cannot start', async () => {
  const nothing = () => undefined;
  const members: string[] = [];
  const ports = {
    config: readConfig({ KAFKA_BROKERS: 'k:1', REDIS_URL: 'redis://r' }),
    clock: clockOf({ nowMs: () => 1_000, monoMs: () => 1_000, after: () => nothing, random: () => 0.5 }),
    log: { warn: nothing, info: nothing, debug: nothing },
    orgs: { table: new OrgTable() },
    inbox: {
      ends: async () => new Map(),
      join: async ({ groupId }: GroupOptions) => {
        if (members.length > 0) throw new Error('the broker is away');
        members.push(groupId);
        return { stop: async () => void members.pop() };
      },
    },
  } as unknown as RolePorts;
  await expect(startProjector(ports)).rejects.toThrow('the broker is away');
  expect(members).toEqual([]);
});
