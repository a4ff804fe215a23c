/** Rules in the console: written, checked, changed and deleted. A change by someone else is not overwritten. */
import { expect, test } from 'vitest';
import { keepScreen, signIn, violations } from '../support/browser.ts';
import type { Stage } from './stage.ts';

const RULE = {
  detect: { event: 'RECEIPT', op: 'exists', path: 'event' },
  respond: [{ action: 'report', name: 'answered' }],
};
const TEXT = `detect:
  event: RECEIPT
  op: is greater than
  path: event/ERROR
  value: 0
respond:
- action: report
  name: failed
`;

type Kept = { data: { respond: { name: string }[] }; usr_mtd: { enabled: boolean } };

export function rulesTests(stage: Stage): void {
  const dataOf = (name: string): Promise<Kept> =>
    stage.system.client.call('GET', `/v1/hive/dr-general/${stage.system.oid}/${name}/data`) as Promise<Kept>;
  const put = (name: string, rule: object) =>
    stage.system.client.call('POST', `/v1/hive/dr-general/${stage.system.oid}/${name}/data`, {
      data: JSON.stringify(rule),
    });

  test('a rule is enabled and disabled, and a change by someone else in between is not overwritten', async () => {
    const { system, page } = stage;
    await put('tasked', RULE);
    await signIn(page, system.oid, system.apiKey);
    await stage.at('/rules');
    await page.getByRole('link', { name: 'tasked' }).click();
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(stage.watched.faults).toEqual([]);
    const usr_mtd = JSON.stringify({ enabled: true, comment: 'mine' });
    await system.client.call('POST', `/v1/hive/dr-general/${system.oid}/tasked/mtd`, { usr_mtd });
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByText('mine').waitFor();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Enable' }).waitFor();
  });

  test('a new rule: errors have a line or a path, and actions that will not run are reported after it is stored', async () => {
    const { system, page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await stage.at('/rules');
    await page.getByRole('link', { name: 'New rule' }).click();
    await page.getByLabel('Name').fill('failures');
    const text = page.getByLabel('Rule', { exact: true });
    await text.fill(TEXT.replace('  op:', ' op:'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('alert').getByText('line 3').waitFor();
    await text.fill(TEXT.replace('is greater than', 'is bigger than'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('alert').getByText('detect').waitFor();
    expect(await violations(page)).toEqual([]);
    await text.fill(TEXT);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('The rule is valid.').waitFor();
    await keepScreen(page, 'rule');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'failures' }).waitFor();
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    expect(await dataOf('failures')).toMatchObject({
      data: { respond: [{ action: 'report', name: 'failed' }] },
      usr_mtd: { enabled: true },
    });
    await page.getByText('author bootstrap').waitFor();
    await text.fill(`${TEXT}- action: make coffee\n`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('respond/1/action').waitFor();
    await text.fill(`${TEXT}- action: seal\n`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('p.fault', { hasText: 'seal' }).waitFor();
    await stage.at('/rules/new');
    await page.getByLabel('Name').fill('failures');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('The rule failures already exists').waitFor();
  });

  test('a change by someone else is shown beside the user’s version, which can replace it; a rule is deleted', async () => {
    const { system, page } = stage;
    await put('shared', RULE);
    await signIn(page, system.oid, system.apiKey);
    await stage.at('/rules/dr-general/shared');
    const text = page.getByLabel('Rule', { exact: true });
    await text.fill(TEXT.replace('name: failed', 'name: mine'));
    await put('shared', { ...RULE, respond: [{ action: 'report', name: 'theirs' }] });
    await page.getByRole('button', { name: 'Save' }).click();
    const conflict = page.getByRole('region', { name: 'Changed by someone else' });
    await conflict.getByText('name: theirs').waitFor();
    expect(await text.inputValue()).toContain('name: mine');
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    expect((await dataOf('shared')).data.respond[0]?.name).toBe('theirs');
    await conflict.getByRole('button', { name: 'Keep my version' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    expect((await dataOf('shared')).data.respond[0]?.name).toBe('mine');
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Delete rule' }).click();
    await page.getByRole('heading', { name: 'Rules' }).waitFor();
    await page.getByRole('link', { name: 'shared' }).waitFor({ state: 'detached' });
    await expect(dataOf('shared')).rejects.toThrow('RECORD_NOT_FOUND');
  });
}
