import { describe, expect, it } from 'vitest';
import { bootstrapSettings } from '../../src/orgs/bootstrap.ts';
import { RIGHTS } from '../../src/orgs/rights.ts';
import { EXTENSION, OrgTable, settingKey } from '../../src/orgs/table.ts';
import { OID, set } from '../command/orgs.ts';

const NOW = 10_000;
const SECRET = 'a secret';

function apply(table: OrgTable, nowMs = NOW, secret = SECRET): string[] {
  const settings = bootstrapSettings(table, OID, secret, nowMs);
  for (const setting of settings) table.apply(settingKey(OID, setting.kind, setting.name), setting);
  return settings.map(({ kind }) => kind);
}

describe('the first org', () => {
  it('is made whole, once', () => {
    const table = new OrgTable();
    expect(apply(table)).toEqual(['ORG', 'SUBSCRIPTION', 'API_KEY']);
    expect(table.known(OID)).toBe(true);
    expect(table.subscribed(OID, NOW)).toBe(true);
    expect(table.findKey(OID, SECRET, NOW)?.perms).toEqual(RIGHTS);
    expect(apply(table, NOW + 1)).toEqual([]);
  });

  it('gets another key when it is started with one', () => {
    const table = new OrgTable();
    apply(table);
    expect(apply(table, NOW + 1, 'another')).toEqual(['API_KEY']);
    expect(table.findKey(OID, 'another', NOW)).toBeDefined();
    expect(table.findKey(OID, SECRET, NOW)).toBeUndefined();
  });

  it('keeps its earlier subscriptions: their tasks are valid, and a rebuild begins with them', () => {
    const table = new OrgTable();
    set(table, OID, 'ORG', OID, {});
    set(table, OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 1_000, to: 2_000 }] });
    expect(apply(table)).toEqual(['SUBSCRIPTION', 'API_KEY']);
    expect(table.subscribed(OID, 1_500)).toBe(true);
    expect(table.subscribed(OID, 2_500)).toBe(false);
    expect(table.subscribed(OID, NOW)).toBe(true);
    expect(table.firstSubscribedAtMs(OID)).toBe(1_000);
  });

  it('never shows its secret in what is written', () => {
    expect(JSON.stringify(bootstrapSettings(new OrgTable(), OID, SECRET, NOW))).not.toContain(SECRET);
  });
});
