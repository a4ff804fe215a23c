/** The requests that the form shows are pasted as they are: each has to queue the same task. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import type { TaskCommand } from '../../../src/model/records.ts';
import { packageRoot } from '../../../src/stack/paths.ts';
import { signIn } from '../support/browser.ts';
import { soon } from '../support/system.ts';
import type { Stage } from './stage.ts';

const COMMAND = `run --shell-command "echo 'it''s' && echo 100% + $HOME \\ é"`;
const CONTEXT = `case 7 & 'more'`;
const SELECTOR = `"it's & none" in tags`;

export function equivalentsTests(stage: Stage): void {
  const paste = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'rt-paste-'));
    const main = join(packageRoot, 'src/cli/main.ts');
    writeFileSync(join(folder, 'reliable-tasking'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, RT_API_KEY: stage.system.apiKey };
    return promisify(execFile)('sh', ['-c', text], { env });
  };

  test('curl, CLI command and Kafka record queue the same task', async () => {
    const { system, page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await page.keyboard.press('n');
    await page.getByLabel('Command').fill(COMMAND);
    await page.getByLabel('Sensors', { exact: true }).fill(SELECTOR);
    await page.getByLabel('Context').fill(CONTEXT);
    await page.getByLabel('Time to live').fill('3');
    const [curl = '', cli = '', record = ''] = await page
      .getByRole('region', { name: 'Use via API' })
      .locator('pre')
      .allTextContents();
    expect(curl + cli + record).not.toContain(system.apiKey);
    expect((await paste(curl)).stdout).toContain('"task_id"');
    await paste(cli);
    const command = JSON.parse(record) as TaskCommand;
    const value = system.codec.encode('TaskCommand', command);
    await system.producer.send(system.topics.commands, [{ key: command.task_id, value }]);
    const same = { task: COMMAND, sensor_selector: SELECTOR, context: CONTEXT, ttl: 3 * 86_400 };
    await vi.waitFor(async () => {
      const { tasks } = (await system.client.request('list', {})) as { tasks: { task_id: string; task: string }[] };
      const queued = tasks.filter(({ task }) => task === COMMAND);
      expect(queued).toMatchObject([same, same, same]);
      for (const { task_id } of queued) await system.client.request('untask', { task_id });
    }, soon);
  });
}
