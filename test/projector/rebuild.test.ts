/** Joins of the group, losses of Redis and looks at the markers in any order: no org is attested past records that it lacks. */
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { AdvanceRequest, AttestRequest, OrgStatus } from '../../src/projector/projection.ts';
import { Rebuild } from '../../src/projector/rebuild.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const END = 100;

/** Redis and Kafka with answers that come when the test lets them. */
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
    /** Read by Redis when asked, answered later. */
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

  /** Lets the oldest question be answered, and everything run that follows from it. */
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
  it('sets no place that was found before a loss under the epoch after it, whatever comes in between', async () => {
    const acts = fc.array(fc.constantFrom('join', 'lose', 'look', 'answer', 'answer', 'answer'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const world = new World();
        world.rebuild.assign([0]);
        const looks: Promise<unknown>[] = [];
        for (const act of list) {
          if (act === 'join') world.rebuild.assign([0]);
          else if (act === 'lose') world.lose();
          else if (act === 'look') looks.push(world.rebuild.poll());
          else await world.answer();
        }
        await world.settle();
        for (let i = 0; i < 3; i += 1) {
          looks.push(world.rebuild.poll());
          await world.settle();
        }
        await Promise.all(looks);
        expect(world.rebuild.positioned).toBe(true);
        expect(world.rebuild.positions.org(OID)?.epoch).toBe(`e${world.epoch}`);
        // Nobody has applied anything: after a loss every record is still to be read.
        const expected = world.epoch > 1 ? 0 : END;
        expect(world.rebuild.positions.position('c', 0)?.next).toBe(expected);
        if (world.epoch > 1) expect(world.attested.filter(({ epoch }) => epoch !== 'e1')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('reads the dead letters once for a share of partitions, and keeps them up by what it refuses itself', async () => {
    const world = new World();
    world.rebuild.assign([0]);
    await world.settle();
    const look = async () => {
      const polled = world.rebuild.poll();
      await world.settle();
      await polled;
    };
    await look();
    for (let i = 0; i < 3; i += 1) {
      world.lose();
      await look();
    }
    expect(world.deadLettersRead).toBe(1);
    world.rebuild.refusals.add('c', 0, 7);
    expect([world.rebuild.refusals.has('c', 0, 7), world.rebuild.refusals.has('c', 0, 8)]).toEqual([true, false]);
    world.rebuild.assign([0]); // another may have refused some meanwhile
    await world.settle();
    world.lose();
    await look();
    expect(world.deadLettersRead).toBe(2);
  });

  it('tells Redis how far idle partitions are only where that has changed', async () => {
    const world = new World();
    world.rebuild.assign([0]);
    await world.settle();
    const tell = async () => {
      const told = world.rebuild.advanceIdle();
      await world.settle();
      await told;
      return world.advanced.splice(0).map(({ kind, nextOffset }) => `${kind} ${nextOffset}`);
    };
    expect(await tell()).toEqual([`c ${END}`, `t ${END}`]);
    expect(await tell()).toEqual([]);
    const { positions } = world.rebuild;
    positions.advance('t', 0, positions.position('t', 0)!.generation, END + 5);
    expect(await tell()).toEqual([`t ${END + 5}`]);
    expect(await tell()).toEqual([]);
  });
});
