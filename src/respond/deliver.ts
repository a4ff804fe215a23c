/**
 * The second half of outputs: consumer group on `outputs`, which sends each record on to where its org has configured. A
 * webhook is tried a few times; then the record is given up (it stays on the topic) and the output rests for a while, so that
 * one that is away does not hold up the others. Delivered, then committed: after a crash some records are sent again.
 */
import { persist } from '../clock.ts';
import type { OutputRecord } from '../model/records.ts';
import { type OutputRules, type OutputTarget, readOutput } from '../outputs/setting.ts';
import type { Batch, Group, Role, RolePorts } from '../ports.ts';

export const OUTPUTS_GROUP = 'reliable-tasking-outputs';

export type OutputSinks = {
  /** Posts a JSON body; rejects unless the answer is 2xx. Private addresses are refused where they are not allowed. */
  post(url: string, headers: Record<string, string>, body: string, id: string): Promise<void>;
  /** Appends lines to a file of the org. */
  append(oid: string, path: string, lines: string): Promise<void>;
};

export type DeliveryPorts = Pick<RolePorts, 'inbox' | 'settings' | 'clock' | 'log' | 'config'> & { sinks: OutputSinks };

const TRIES = 4;
const FIRST_WAIT_MS = 200;
/** An output that was given up rests so long: what comes meanwhile is not sent. */
const REST_MS = 30_000;
const AT_ONCE = 16;

export async function startDelivery(ports: DeliveryPorts): Promise<Role> {
  const delivery = new Delivery(ports);
  await delivery.start();
  return delivery;
}

class Delivery implements Role {
  readonly #ports: DeliveryPorts;
  readonly #rules: OutputRules;
  /** Until when an output rests, by `oid/output`; monotonic ms. */
  readonly #resting = new Map<string, number>();
  #group: Group | null = null;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#rules = { outputDir: ports.config.OUTPUT_DIR, allowPrivate: ports.config.OUTPUT_ALLOW_PRIVATE };
  }

  async start(): Promise<void> {
    const { inbox, config } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + OUTPUTS_GROUP,
      topics: ['outputs'],
      onAssigned: () => undefined,
      wanted: async () => null,
      onBatch: (batch) => this.#onBatch(batch),
    });
  }

  ready(): { ready: boolean; detail: string } {
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'delivering outputs' : 'joining the group' };
  }

  async stop(): Promise<void> {
    await this.#group?.stop();
  }

  async #onBatch(batch: Batch): Promise<boolean> {
    const { inbox, clock, log } = this.#ports;
    const decoded = await persist(
      clock,
      batch.alive,
      () => inbox.decode('OutputRecord', batch.records),
      (error) => log.warn({ err: error }, 'outputs wait'),
    );
    if (decoded === undefined) return false;
    const records = decoded.flatMap((item) => ('value' in item ? [item.value] : []));
    const byOutput = Map.groupBy(records, ({ oid, output }) => `${oid}/${output}`);
    await Promise.all([...byOutput].map(([place, mine]) => this.#deliver(place, mine, batch.alive)));
    if (!batch.alive()) return false;
    await this.#group?.commit('outputs', batch.partition, batch.nextOffset);
    return true;
  }

  async #deliver(place: string, records: readonly OutputRecord[], alive: () => boolean): Promise<void> {
    const [first] = records;
    const target = first && this.#targetOf(first);
    if (!first || !target) return;
    if (target.type === 'file') {
      const lines = records.map(({ body }) => `${body}\n`).join('');
      await this.#tried(place, alive, () => this.#ports.sinks.append(first.oid, target.path, lines));
      return;
    }
    const waiting = [...records].reverse();
    const sender = async (): Promise<void> => {
      for (let next = waiting.pop(); next && alive(); next = waiting.pop()) {
        const { body, event_id } = next;
        await this.#tried(place, alive, () => this.#ports.sinks.post(target.url, target.headers, body, event_id));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
  }

  #targetOf({ oid, output }: OutputRecord): OutputTarget | undefined {
    const setting = this.#ports.settings.get(oid, 'OUTPUT', output);
    try {
      return setting && readOutput(setting.value, this.#rules);
    } catch (error) {
      this.#ports.log.warn({ oid, output, fault: String(error) }, 'an output is not one that is delivered here');
      return undefined;
    }
  }

  async #tried(place: string, alive: () => boolean, send: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#ports;
    if ((this.#resting.get(place) ?? 0) > clock.monoMs()) return;
    for (let attempt = 1; alive(); attempt += 1) {
      try {
        await send();
        this.#resting.delete(place);
        return;
      } catch (error) {
        if (attempt < TRIES) {
          await clock.delay(FIRST_WAIT_MS * 2 ** (attempt - 1));
          continue;
        }
        this.#resting.set(place, clock.monoMs() + REST_MS);
        log.warn(
          { output: place, fault: error instanceof Error ? error.message : String(error) },
          'an output was given up and rests',
        );
        return;
      }
    }
  }
}
