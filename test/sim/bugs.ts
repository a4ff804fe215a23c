/**
 * Bugs to plant, at least one for each invariant. They prove that the checker finds violations. Each one removes one check or one
 * answer on which the invariant depends, in the scripts of Redis or in the ports, and nothing else.
 */
import type { RolePorts } from '../../src/ports.ts';
import type { Projection } from '../../src/projector/projection.ts';
import type { Invariant } from './checker.ts';
import type { Kind } from './cluster.ts';
import { ORGS } from './fleet.ts';
import type { Lax, MemoryRedis } from './redis/state.ts';
import type { Step } from './world.ts';

export type Bug = {
  invariant: Invariant;
  what: string;
  /** For a bug that shows rarely: the only steps that happen, with their weights, and how slow the broker is, in ms. */
  steps?: Partial<Record<Step, number>>;
  brokerMs?: number;
  redis?(redis: MemoryRedis): void;
  ports?(ports: RolePorts, kind: Kind): RolePorts;
};

const lax = (checks: Lax) => (redis: MemoryRedis) => {
  Object.assign(redis.lax, checks);
};

/** Changes the answers of the projection to one kind of process. */
const asking =
  (kind: Kind, change: (projection: Projection) => Partial<Projection>): NonNullable<Bug['ports']> =>
  (ports, of) =>
    of === kind ? { ...ports, projection: { ...ports.projection, ...change(ports.projection) } } : ports;

const without = (projection: Projection, kind: 'added' | 'removed'): Pick<Projection, 'changes'> => ({
  changes: async (...args) => {
    const answer = await projection.changes(...args);
    if (!answer.ok || answer.changes === 'reload') return answer;
    return { ...answer, changes: answer.changes.filter((change) => change.kind !== kind) };
  },
});

const SLOW_MS = 60_000;

export const BUGS: Readonly<Record<string, Bug>> = {
  deaf: {
    invariant: 'I1',
    what: 'a joiner does not see new tasks',
    ports: asking('joiner', (projection) => without(projection, 'added')),
  },
  late: {
    invariant: 'I2',
    what: 'neither the claim nor the joiner checks the expiry',
    redis: lax({ expiry: true }),
    ports: asking('joiner', (projection) => ({
      ...without(projection, 'removed'),
      readTasks: async (...args) =>
        (await projection.readTasks(...args)).map(
          (task) => task && { ...task, expiresAtMs: task.expiresAtMs + SLOW_MS },
        ),
    })),
  },
  stubborn: {
    invariant: 'I3',
    what: 'neither the claim nor the joiner checks whether the task was removed',
    redis: lax({ removal: true }),
    ports: asking('joiner', (projection) => without(projection, 'removed')),
  },
  hasty: {
    invariant: 'I3',
    what: 'untask does not wait for claims in flight',
    steps: { connect: 2, reconnect: 30, produce: 20, untask: 20 },
    brokerMs: 250,
    ports: asking('api', () => ({ inFlight: async () => ({ ok: true, nowMs: 0, entries: [] }) })),
  },
  insisting: {
    invariant: 'I4',
    what: 'a claim does not check whether the delivery is settled',
    redis: lax({ settled: true }),
  },
  blind: {
    invariant: 'I5',
    what: 'a joiner treats every selector as *',
    ports: asking('joiner', (projection) => ({
      readTasks: async (...args) =>
        (await projection.readTasks(...args)).map(
          (task) => task && { ...task, command: { ...task.command, selector: null } },
        ),
    })),
  },
  mixed: {
    invariant: 'I6',
    what: 'a joiner uses the command of another org that has the same task id',
    ports: asking('joiner', (projection) => ({
      readTasks: async (oid, ids) => {
        const [own, others] = await Promise.all([
          projection.readTasks(oid, ids),
          projection.readTasks(ORGS.find((other) => other !== oid) as string, ids),
        ]);
        return own.map(
          (task, i) =>
            task && { ...task, command: { ...task.command, task: others[i]?.command.task ?? task.command.task } },
        );
      },
    })),
  },
  forgetful: {
    invariant: 'I7',
    what: 'the projector skips some tasks',
    ports: asking('projector', (projection) => ({
      apply: async (requests) => {
        const isKept = ({ op, taskId }: (typeof requests)[number]['commands'][number]) =>
          op !== 'task' || !/[37]$/.test(taskId);
        const kept = requests.map((request) => ({ ...request, commands: request.commands.filter(isKept) }));
        const answers = await projection.apply(kept);
        return answers.map((answer, i) => {
          if (!answer.ok) return answer;
          const outcomes = [...answer.outcomes];
          return {
            ...answer,
            outcomes: (requests[i]?.commands ?? []).map((command) =>
              isKept(command) ? (outcomes.shift() ?? 'nothing') : 'past',
            ),
          };
        });
      },
    })),
  },
  fickle: {
    invariant: 'I8',
    what: 'a later receipt counts instead of the first',
    redis: lax({ first: true }),
  },
};
