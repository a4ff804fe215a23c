/** The state of a delivery changes only as the table in src/model/states.ts says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cause, type DeliveryState, MOVES, stateOf } from '../../src/model/states.ts';
import { type Bench, Org, PATIENT } from './projection-bench.ts';

const RUNS = 60;
const SHORT_TTL_MS = 40;
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

type Step = { cause: Cause; doneWhenSent: boolean };

export function movesContract(bench: () => Bench): void {
  describe(`the state of a delivery (seed ${seed})`, () => {
    it('changes only as the table says, whatever happens in whatever order', async () => {
      const projection = await bench().projection({ ...PATIENT, leaseMs: 5, firstBackoffMs: 1, maxBackoffMs: 1 });
      const causes = Object.keys({ ...MOVES.queued, ...MOVES.sent }) as Cause[];
      const steps = fc.array(fc.record({ cause: fc.constantFrom(...causes), doneWhenSent: fc.boolean() }), {
        minLength: 1,
        maxLength: 10,
      });
      const seen = new Set<string>();
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const delivery = new Walk(await new Org(bench(), projection).use(), bench());
          await delivery.begin(all.some(({ cause }) => cause === 'ran_out'));
          let state: DeliveryState = 'queued';
          for (const step of all) {
            await delivery.take(step);
            const next = await delivery.state();
            if (next !== state) {
              expect(MOVES[state][step.cause] ?? [], `${state} -> ${next} by ${step.cause}`).toContain(next);
              seen.add(`${state} ${next}`);
            }
            state = next;
          }
        }),
        { seed, numRuns: RUNS },
      );
      expect(seen.size).toBeGreaterThan(5);
    });
  });
}

class Walk {
  readonly #org: Org;
  readonly #bench: Bench;
  #offset = 0;
  #tags = 0;
  #expiresAtMs = 0;
  /** The last claim batch, unless it is confirmed. */
  #batch: string | null = null;

  constructor(org: Org, bench: Bench) {
    this.#org = org;
    this.#bench = bench;
  }

  async begin(isShort: boolean): Promise<void> {
    this.#expiresAtMs = (await this.#bench.nowMs()) + (isShort ? SHORT_TTL_MS : 600_000);
    await this.#org.apply(this.#org.task(this.#offset++, 'a', { expiresAtMs: this.#expiresAtMs }));
  }

  async state(): Promise<DeliveryState> {
    const [task] = await this.#org.projection.readTasks(this.#org.oid, ['a']);
    return stateOf(task!.state, await this.#org.delivery('a'));
  }

  async take({ cause, doneWhenSent }: Step): Promise<void> {
    const org = this.#org;
    const receipt = { taskId: 'a', sid: 's1' };
    const causes: Record<Cause, () => Promise<unknown>> = {
      dispatched: async () => {
        await this.#end();
        this.#batch = org.newBatch();
        await org.claim('a', ['s1'], { batch: this.#batch, connectionHash: `t${++this.#tags}`, doneWhenSent });
      },
      taken_back: () => this.#end(['s1']),
      answered: () => org.ack({ ...receipt, state: 'done', code: '0' }),
      answered_with_error: () => org.ack({ ...receipt, state: 'failed', code: '5' }),
      withdrawn: () =>
        doneWhenSent ? org.narrow(this.#offset++, 'a', ['s1']) : org.apply(org.untask(this.#offset++, 'a')),
      ran_out: async () => {
        await this.#bench.reach(this.#expiresAtMs);
        await org.due();
      },
    };
    await causes[cause]();
  }

  async #end(dropped: string[] = []): Promise<void> {
    if (this.#batch !== null) await this.#org.confirm(this.#batch, 'a', { dropped });
    this.#batch = null;
  }
}
