/** The public Python clients as they were published, each in a virtual environment of its own, pointed at a server here. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { venvOf } from '../python.ts';

export type Ran = { exit: number | null; out: string; err: string };
export type Credentials = { url: string; oid: string; secret: string; uid?: string };

const PROGRAM_MS = 60_000;
const here = import.meta.dirname;

export class PublicClient {
  readonly version: '5.10.1' | '4.11.3';
  readonly #venv: string;
  readonly #env: Record<string, string>;

  private constructor(version: PublicClient['version'], venv: string, env: Record<string, string>) {
    this.version = version;
    this.#venv = venv;
    this.#env = env;
  }

  static async install(version: PublicClient['version'], credentials: Credentials): Promise<PublicClient> {
    const venv = await venvOf(`limacharlie-${version}`, [`limacharlie==${version}`]);
    return new PublicClient(version, venv, envOf(credentials));
  }

  /** The same client, asking as somebody else. */
  as(credentials: Credentials): PublicClient {
    return new PublicClient(this.version, this.#venv, envOf(credentials));
  }

  /** Its command line. */
  async cli(...args: string[]): Promise<Ran> {
    if (this.version === '5.10.1') return this.#run(join(this.#venv, 'bin', 'limacharlie'), args);
    return this.#python(['lc4.py', 'cli', ...args], '');
  }

  /** What its command line prints, as JSON. Throws with what it said where it fails. */
  async json<T>(...args: string[]): Promise<T> {
    return parsed(await this.cli(...args, ...(this.version === '5.10.1' ? ['--output', 'json'] : [])));
  }

  /** The `result` of a program of its SDK. */
  async sdk<T>(program: string): Promise<T> {
    const file = this.version === '5.10.1' ? ['lc5.py'] : ['lc4.py', 'sdk'];
    return parsed(await this.#python(file, program));
  }

  #python([file = '', ...args]: string[], input: string): Promise<Ran> {
    return this.#run(join(this.#venv, 'bin', 'python'), [join(here, file), ...args], input);
  }

  #run(command: string, args: string[], input = ''): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { env: this.#env, timeout: PROGRAM_MS });
      const ran: Ran = { exit: null, out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        ran.out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        ran.err += text;
      });
      child.on('error', reject).on('close', (exit) => resolve({ ...ran, exit }));
      child.stdin.end(input);
    });
  }
}

/** Nothing of the environment of the test, so that no settings of the person who runs it are met. */
function envOf({ url, oid, secret, uid }: Credentials): Record<string, string> {
  const home = mkdtempSync(join(tmpdir(), 'lc-'));
  const addresses = { LC_API_URL: url, LC_JWT_URL: url, LC_TEST_URL: url };
  const own = { HOME: home, PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', NO_COLOR: '1' };
  return { ...own, ...addresses, LC_OID: oid, LC_API_KEY: secret, ...(uid === undefined ? {} : { LC_UID: uid }) };
}

function parsed<T>(ran: Ran): T {
  if (ran.exit !== 0) throw new Error(`exit ${ran.exit}: ${ran.err || ran.out}`);
  return JSON.parse(ran.out) as T;
}
