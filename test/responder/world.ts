/** A responder without Kafka and Redis: rules as settings, a memory of counts, and what actions came to. */
import { readConfig } from '../../src/config.ts';
import { RIGHTS } from '../../src/orgs/rights.ts';
import type { Ports } from '../../src/responder/acting.ts';
import type { Effects } from '../../src/responder/effects.ts';
import { respond } from '../../src/responder/respond.ts';
import { Rulesets } from '../../src/responder/rulesets.ts';
import type { Seen } from '../../src/responder/seen.ts';
import type { RuleMemory } from '../../src/rules/memory.ts';
import { OID, testOrgs } from '../command/orgs.ts';
import { SettingLog } from '../orgs/memory-settings.ts';

export const NOW = 1_760_000_000_000;

/** As the script in Redis counts. */
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

  /** As it stands on the log, whether or not the API would store it; `author` null: from before rules had one. */
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

  /** What was written part by part, in the order in which it was. */
  readonly parts: Effects[] = [];
  pending = ['t1', 't2'];
  devices: Record<string, string[]> = {};
  pendingAsked = 0;

  async run(...seen: Seen[]): Promise<Effects> {
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
    this.parts.length = 0;
    await respond(
      { ports: ports as unknown as Ports, rulesets: this.rulesets, memory: this.memory, nowMs: () => NOW },
      [seen],
      async (effects) => void this.parts.push(effects),
    );
    const all = <K extends keyof Effects>(kind: K) =>
      this.parts.flatMap((part) => part[kind] as object[]) as Effects[K];
    return {
      ...{ detections: all('detections'), outputs: all('outputs'), presence: all('presence') },
      ...{ commands: all('commands'), sensorEvents: all('sensorEvents'), faults: all('faults') },
    };
  }
}

let events = 0;
export const seenOf = (event: object, rest: Partial<Seen> = {}, routing: object = {}): Seen => {
  events += 1;
  const type = rest.type ?? 'RECEIPT';
  const eventId = rest.eventId ?? `event-${events}`;
  return {
    ...{ oid: OID, sid: 's-1', type, eventId, occurredAtMs: NOW, depth: 0, online: true, did: '' },
    view: { routing: { oid: OID, sid: 's-1', event_type: type, event_id: eventId, ...routing }, event },
    ...rest,
  };
};
