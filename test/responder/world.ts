/** A responder without Kafka and Redis: rules as settings, counts in memory, and the effects of actions. */
import { readConfig } from '../../src/config.ts';
import { RIGHTS } from '../../src/orgs/rights.ts';
import type { Effects } from '../../src/responder/effects.ts';
import { type Responding, respond } from '../../src/responder/respond.ts';
import type { RuleEvent } from '../../src/responder/rule-event.ts';
import { Rulesets } from '../../src/responder/rulesets.ts';
import type { RuleMemory } from '../../src/rules/memory.ts';
import { OID, testOrgs } from '../command/orgs.ts';
import { SettingLog } from '../orgs/memory-settings.ts';

export const NOW = 1_760_000_000_000;

/** Counts as the script in Redis does. */
export class MemoryCounts implements RuleMemory {
  readonly counts = new Map<string, { count: number; ids: Map<string, number> }>();

  async count(asked: Parameters<RuleMemory['count']>[0]): Promise<number[]> {
    return asked.map(({ oid, key, id, by, maxCount }) => {
      const one = this.counts.get(`${oid}/${key}`) ?? { count: 0, ids: new Map<string, number>() };
      this.counts.set(`${oid}/${key}`, one);
      const known = one.ids.get(id);
      if (known !== undefined) return known;
      const before = one.count;
      one.count += by;
      if (before < maxCount) one.ids.set(id, before);
      return before;
    });
  }
  async noteFaults(): Promise<void> {}
  async faults(): Promise<Map<string, { sentence: string; atMs: number }>> {
    return new Map();
  }
}

export class World {
  readonly settings = new SettingLog().process('one');
  readonly memory = new MemoryCounts();
  readonly faults: string[] = [];
  readonly rulesets = new Rulesets(
    this.settings,
    () => NOW,
    (_oid, rule, sentence) => this.faults.push(`${rule}: ${sentence}`),
  );

  /** Writes the setting as it is, also if the API would refuse it. `author` null: from before rules had an author. */
  async rule(
    name: string,
    detect: object,
    respondPart: object[],
    metadata: object = {},
    author: object | null = { name: 'test', rights: RIGHTS },
  ): Promise<void> {
    const usr_mtd = { enabled: true, expiry: 0, tags: [], comment: '', ...metadata };
    const value = { data: { detect, respond: respondPart }, usr_mtd, ...(author === null ? {} : { author }) };
    await this.settings.write({ oid: OID, kind: 'HIVE', name: `dr-general/${name}`, by: 'test', value });
  }

  async lookup(name: string, lookup_data: object): Promise<void> {
    const value = { data: { lookup_data }, usr_mtd: { enabled: true } };
    await this.settings.write({ oid: OID, kind: 'HIVE', name: `lookup/${name}`, by: 'test', value });
  }

  /** The effects of each write, in their order. */
  readonly writes: Effects[] = [];
  pending = ['t1', 't2'];
  devices: Record<string, string[]> = {};
  pendingAsked = 0;

  async run(...events: RuleEvent[]): Promise<Effects> {
    const config = readConfig({ KAFKA_BROKERS: 'localhost:1', REDIS_URL: 'redis://localhost:1' });
    const ports = {
      config,
      orgs: { table: testOrgs() },
      devices: { sensorsOf: async (_oid: string, did: string) => this.devices[did] ?? [] },
      projection: {
        pendingIds: async (_oid: string, limit: number, after: string | null) => {
          this.pendingAsked += 1;
          const from = after === null ? 0 : Number(after);
          const next = from + limit < this.pending.length ? String(from + limit) : null;
          return { ids: this.pending.slice(from, from + limit), next };
        },
      },
    };
    this.writes.length = 0;
    await respond(
      {
        ports: ports as unknown as Responding['ports'],
        rulesets: this.rulesets,
        memory: this.memory,
        nowMs: () => NOW,
      },
      [events],
      async (effects) => void this.writes.push(effects),
    );
    const all = <K extends keyof Effects>(kind: K) =>
      this.writes.flatMap((effects) => effects[kind] as object[]) as Effects[K];
    return {
      detections: all('detections'),
      outputs: all('outputs'),
      presence: all('presence'),
      commands: all('commands'),
      sensorEvents: all('sensorEvents'),
      faults: all('faults'),
    };
  }
}

let made = 0;
export const ruleEventOf = (event: object, rest: Partial<RuleEvent> = {}, routing: object = {}): RuleEvent => {
  made += 1;
  const type = rest.type ?? 'RECEIPT';
  const eventId = rest.eventId ?? `event-${made}`;
  return {
    oid: OID,
    sid: 's-1',
    type,
    eventId,
    occurredAtMs: NOW,
    depth: 0,
    online: true,
    did: '',
    view: { routing: { oid: OID, sid: 's-1', event_type: type, event_id: eventId, ...routing }, event },
    ...rest,
  };
};
