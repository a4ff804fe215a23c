/** Settings without Kafka and Redis: one log, one table of claims, and as many processes as a test wants. */
import type { OrgSetting } from '../../src/model/records.ts';
import { type Settings, SettingsTable } from '../../src/orgs/settings.ts';
import type { OrgTable } from '../../src/orgs/table.ts';
import { createSettings, type SettingClaims } from '../../src/orgs/write-setting.ts';

type Entry = { key: string; setting: OrgSetting | null };

export class SettingLog {
  readonly entries: Entry[];
  readonly claims = new Map<string, { token?: string; untilMs?: number; etag?: string | null }>();
  nowMs = 0;
  /** Runs before each step of each process; a test makes it fail, or take turns. */
  step: (process: string, what: 'claim' | 'append' | 'refresh' | 'settle') => Promise<void> = async () => {};

  constructor(entries: Entry[] = []) {
    this.entries = entries;
  }

  /** One process: its own fold of the log. `orgs` is folded along. */
  process(name = 'one', orgs?: OrgTable): Settings & { table: SettingsTable; catchUp(): void } {
    const table = new SettingsTable();
    let next = 0;
    const catchUp = () => {
      for (; next < this.entries.length; next += 1) {
        const { key, setting } = this.entries[next] as Entry;
        table.apply(key, setting);
        orgs?.apply(key, setting);
      }
    };
    catchUp();
    const settings = createSettings({
      table,
      claims: this.#claimsOf(name),
      append: async (key, setting) => {
        await this.step(name, 'append');
        this.entries.push({ key, setting });
      },
      refresh: async () => {
        await this.step(name, 'refresh');
        catchUp();
      },
      clock: {
        nowMs: () => this.nowMs,
        monoMs: () => this.nowMs,
        delay: async (ms) => {
          await new Promise((resolve) => setImmediate(resolve));
          // The bound on reading is no wait of the writer.
          if (ms < 1_000) this.nowMs += ms;
          else await new Promise(() => {});
        },
      },
    });
    return { ...settings, table, catchUp };
  }

  #claimsOf(process: string): SettingClaims {
    const at = (oid: string, claimName: string) => `${oid}/${claimName}`;
    return {
      claim: async (oid, claimName, token, leaseMs) => {
        await this.step(process, 'claim');
        const held = this.claims.get(at(oid, claimName));
        if (held?.untilMs !== undefined && held.untilMs > this.nowMs) return { busyMs: held.untilMs - this.nowMs };
        this.claims.set(at(oid, claimName), { token, untilMs: this.nowMs + leaseMs });
        return { etag: held?.etag ?? null };
      },
      settle: async (oid, claimName, token, etag) => {
        await this.step(process, 'settle');
        if (this.claims.get(at(oid, claimName))?.token === token) this.claims.set(at(oid, claimName), { etag });
      },
    };
  }
}
