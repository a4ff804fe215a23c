/** Joins of the group, losses of Redis and polls in any order: no org is attested past records that it lacks. */
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { AdvanceRequest, AttestRequest, OrgStatus } from '../../src/projector/projection.ts';
import { Rebuild } from '../../src/projector/rebuild.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const END = 100;

/** Redis and Kafka answer when the test allows it. */
class World {
  epoch = 1;
  applied = END;
  nowMs = 1_000_000;
  deadLettersRead = 0;
  advanced: AdvanceRequest[] = [];
  attested: { epoch: string; nextOffset: number }[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly rebuild: Rebuild;

  constructor() {
    const later = <T>(read: () => T): Promise<T> => new Promise((resolve) => this.#waiting.push(() => resolve(read())));
    /** Redis reads at once, and answers later. */
    const soon = <T>(value: T): Promise<T> => later(() => value);
    const offsets = (n: number) => new Map([[0, n]]);
    const status = (): OrgStatus => ({
      epoch: `e${this.epoch}`,
      usable: false,
      version: 0,
      begunAtMs: 0,
      nowMs: this.nowMs,
      commandOffsets: this.applied > 0 ? offsets(this.applied) : new Map(),
      eventOffsets: this.applied > 0 ? offsets(this.applied) : new Map(),
      presenceOffsets: new Map(),
      livePartitions: new Set(),
    });
    const ports = {
      log: pino({ level: 'silent' }),
      config: { KAFKA_TOPIC_PREFIX: '', CLAIM_LEASE_MS: 1_000 },
      clock: { delay: async () => undefined },
      orgs: { table: { oids: () => [OID], firstSubscribedAtMs: () => 0 } },
      projection: {
        begin: () => soon([status()]),
        advance: (requests: AdvanceRequest[]) => {
          this.advanced.push(...requests);
          return soon(requests.map(() => ({ ok: true })));
        },
        attest: (requests: AttestRequest[]) =>
          soon(
            requests.map(({ epoch, nextOffset }) => {
              if (epoch !== `e${this.epoch}`) return { ok: false, why: 'epoch', epoch: `e${this.epoch}` };
              this.attested.push({ epoch, nextOffset });
              return { ok: true };
            }),
          ),
      },
      inbox: {
        since: () => soon(offsets(0)),
        committed: () => soon(offsets(END)),
        ends: () => soon(new Map([[0, { low: 0, high: END }]])),
        readAll: () => {
          this.deadLettersRead += 1;
          return soon(undefined);
        },
      },
    };
    this.rebuild = new Rebuild(ports as never, 'group');
  }

  lose(): void {
    this.epoch += 1;
    this.applied = 0;
  }

  /** Lets Redis or Kafka give the oldest answer, and runs what follows from it. */
  async answer(): Promise<void> {
    this.#waiting.shift()?.();
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
  }

  async settle(): Promise<void> {
    do await this.answer();
    while (this.#waiting.length > 0);
  }
}

describe('a rebuild', () => {
  it('sets no position that was found before a loss under the epoch after it', async () => {
    const acts = fc.array(fc.constantFrom('join', 'lose', 'poll', 'answer', 'answer', 'answer'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const world = new World();
        world.rebuild.assign([0]);
        const polls: Promise<unknown>[] = [];
        for (const act of list) {
          if (act === 'join') world.rebuild.assign([0]);
          else if (act === 'lose') world.lose();
          else if (act === 'poll') polls.push(world.rebuild.poll());
          else await world.answer();
        }
        await world.settle();
        for (let i = 0; i < 3; i += 1) {
          polls.push(world.rebuild.poll());
          await world.settle();
        }
        await Promise.all(polls);
        expect(world.rebuild.positioned).toBe(true);
        expect(world.rebuild.orgs.get(OID)?.epoch).toBe(`e${world.epoch}`);
        // Nothing was applied: after a loss every record is still to be read.
        const expected = world.epoch > 1 ? 0 : END;
        expect(world.rebuild.positions.at('c0')?.next).toBe(expected);
        if (world.epoch > 1) expect(world.attested.filter(({ epoch }) => epoch !== 'e1')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('reads the dead letters once for an assignment of partitions, and adds its own refusals', async () => {
    const world = new World();
    world.rebuild.assign([0]);
    await world.settle();
    const poll = async () => {
      const polled = world.rebuild.poll();
      await world.settle();
      await polled;
    };
    await poll();
    for (let i = 0; i < 3; i += 1) {
      world.lose();
      await poll();
    }
    expect(world.deadLettersRead).toBe(1);
    world.rebuild.refusals.add('c', 0, 7);
    expect([world.rebuild.refusals.has('c', 0, 7), world.rebuild.refusals.has('c', 0, 8)]).toEqual([true, false]);
    world.rebuild.assign([0]); // another process may have refused some meanwhile
    await world.settle();
    world.lose();
    await poll();
    expect(world.deadLettersRead).toBe(2);
  });

  it('writes the offsets of idle partitions to Redis only if they have changed', async () => {
    const world = new World();
    world.rebuild.assign([0]);
    await world.settle();
    const advance = async () => {
      const advancing = world.rebuild.advanceIdle();
      await world.settle();
      await advancing;
      return world.advanced.splice(0).map(({ kind, nextOffset }) => `${kind} ${nextOffset}`);
    };
    expect(await advance()).toEqual([`c ${END}`, `t ${END}`]);
    expect(await advance()).toEqual([]);
    const { positions } = world.rebuild;
    positions.advance('t0', positions.at('t0')!.generation, END + 5);
    expect(await advance()).toEqual([`t ${END + 5}`]);
    expect(await advance()).toEqual([]);
  });
});
