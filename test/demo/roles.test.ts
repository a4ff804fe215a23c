import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RoleProcess } from '../../src/demo/roles.ts';
import { freePort } from '../../src/stack/ports.ts';

/** Ready at once; GET /pid tells who answers. Ends on SIGTERM, and with its parent, as `serve` does. */
const SERVER = `
import { createServer } from 'node:http';
createServer((request, response) => response.end(request.url === '/pid' ? String(process.pid) : 'ok')).listen(process.env.HTTP_PORT, '127.0.0.1');
process.once('disconnect', () => process.exit(0));
`;

let folder = '';
let role: RoleProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rt-roles-'));
});
afterEach(async () => {
  await role?.stop();
  rmSync(folder, { recursive: true });
});

async function start(source: string, onRestart: (role: string, how: string) => void = () => {}): Promise<RoleProcess> {
  const program = join(folder, 'program.mjs');
  writeFileSync(program, source);
  role = new RoleProcess({ role: 'joiner', port: await freePort(), env: {}, logFolder: folder, program, onRestart });
  role.start();
  return role;
}

const deadline = () => AbortSignal.timeout(20_000);
const pidOf = async (process: RoleProcess) => Number(await (await fetch(`${process.url}/pid`)).text());
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a role in a process of its own', () => {
  it('is ready when it says so, and gone after stop', async () => {
    const started = await start(SERVER);
    await started.ready(deadline());
    const pid = await pidOf(started);
    await started.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('is a fault when it ends before it was ready, told with the end of its log', async () => {
    const started = await start("console.error('JWT_SECRET is not set.'); process.exit(2);");
    await expect(started.ready(deadline())).rejects.toThrow(/joiner ended \(exit code 2\)\.\nJWT_SECRET is not set\./);
  });

  it('is a fault when it is not ready in time', async () => {
    const started = await start('setInterval(() => {}, 1000);');
    await expect(started.ready(AbortSignal.timeout(500))).rejects.toThrow(/not ready in time/);
  });

  it('is started again when it is killed', async () => {
    const ends: string[] = [];
    const started = await start(SERVER, (name, how) => ends.push(`${name} ${how}`));
    await started.ready(deadline());
    const first = await pidOf(started);
    process.kill(first, 'SIGKILL');
    await vi.waitFor(async () => expect(await pidOf(started)).not.toBe(first), { timeout: 20_000, interval: 100 });
    expect(ends).toEqual(['joiner SIGKILL']);
  });
});
