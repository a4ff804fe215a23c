/**
 * The enabled rules of each org, compiled. A rule is compiled again only when its record has changed. A rule that does not compile
 * gets a fault and does not run. A rule whose actions lack a right gets a fault before the first event.
 */
import type { Settings, StoredSetting } from '../orgs/settings.ts';
import { SharedTests } from '../rules/detect/shared-tests.ts';
import { isRunnable } from '../rules/respond/actions.ts';
import { notAllowed } from '../rules/respond/rights.ts';
import { compileRule, type Rule } from '../rules/rule.ts';
import { type NamedRule, Ruleset } from '../rules/ruleset.ts';
import type { Lookups } from '../rules/view.ts';
import { LOOKUP_HIVE, RULE_HIVES } from './hives/hives.ts';
import { isActive, keptOf, partsOfSettingName, settingName } from './hives/record.ts';

type Compiled = { readonly etag: string; readonly rule: Rule | null; readonly fault: string };
type Org = { readonly compiled: ReadonlyMap<string, Compiled>; readonly set: Ruleset };

const HIVES: ReadonlySet<string> = new Set(RULE_HIVES);
const NO_RULES = new Ruleset([]);

/** `rule`: `hive/name`. */
export type OnFault = (oid: string, rule: string, sentence: string) => void;

export class Rulesets {
  readonly #settings: Settings;
  readonly #nowMs: () => number;
  readonly #onFault: OnFault;
  readonly #orgs = new Map<string, Org>();
  readonly #changed = new Set<string>();
  readonly #tests = new SharedTests();
  readonly #stop: () => void;

  constructor(settings: Settings, nowMs: () => number, onFault: OnFault) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#onFault = onFault;
    this.#stop = settings.onChange((oid, kind) => {
      if (kind === 'HIVE') this.#changed.add(oid);
    });
  }

  /** The rules of the org as its settings are now. */
  of(oid: string): Ruleset {
    const known = this.#orgs.get(oid);
    if (known !== undefined && !this.#changed.has(oid)) return known.set;
    this.#changed.delete(oid);
    const stored = this.#settings
      .list(oid, 'HIVE')
      .filter(({ name }) => HIVES.has(partsOfSettingName(name)?.hive ?? ''));
    if (stored.length === 0) {
      // A producer can write events of orgs that do not exist. Nothing is kept for these.
      if (this.#settings.list(oid, 'HIVE').length === 0) this.#orgs.delete(oid);
      else this.#orgs.set(oid, { compiled: new Map(), set: NO_RULES });
      return NO_RULES;
    }
    const compiled = new Map(stored.map((setting) => [setting.name, this.#compile(setting, known)]));
    const set = new Ruleset(stored.flatMap((setting) => named(setting, compiled.get(setting.name)?.rule ?? null)));
    this.#orgs.set(oid, { compiled, set });
    return set;
  }

  /** The keys of the org's lookups, without lookups that are disabled or expired. */
  lookups(oid: string): Lookups {
    return (name) => {
      const setting = this.#settings.get(oid, 'HIVE', settingName(LOOKUP_HIVE, name));
      if (setting === undefined) return undefined;
      const { data, usr_mtd } = keptOf(setting.value);
      return isActive(usr_mtd, this.#nowMs()) ? (data.lookup_data as Record<string, unknown> | undefined) : undefined;
    };
  }

  stop(): void {
    this.#stop();
  }

  #compile(setting: StoredSetting, known: Org | undefined): Compiled {
    const before = known?.compiled.get(setting.name);
    if (before?.etag === setting.etag) return before;
    try {
      const rule = compileRule(keptOf(setting.value).data, this.#tests);
      const fault = notAllowedIn(setting, rule);
      if (fault !== '') this.#onFault(setting.oid, setting.name, fault);
      return { etag: setting.etag, rule, fault };
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#onFault(setting.oid, setting.name, fault);
      return { etag: setting.etag, rule: null, fault };
    }
  }
}

/** The first action of an enabled rule that lacks a right, as a sentence; "" if all can run. */
function notAllowedIn(setting: StoredSetting, { respond }: Rule): string {
  const { usr_mtd, author } = keptOf(setting.value);
  if (!usr_mtd.enabled) return '';
  for (const action of respond) {
    if (!isRunnable(action) || action.right === null || author?.rights.includes(action.right)) continue;
    return `${action.at}: ${notAllowed(action.right)}`;
  }
  return '';
}

/** None if the rule is disabled or does not compile. */
function named(setting: StoredSetting, rule: Rule | null): NamedRule[] {
  const { usr_mtd, author } = keptOf(setting.value);
  const parts = partsOfSettingName(setting.name);
  if (rule === null || parts === null || !usr_mtd.enabled) return [];
  return [
    {
      ...rule,
      name: parts.record,
      hive: parts.hive,
      rights: author?.rights ?? [],
      expiresAtMs: usr_mtd.expiry === 0 ? undefined : usr_mtd.expiry,
    },
  ];
}
