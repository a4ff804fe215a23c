/** The processes: they are started, killed, stopped, paused, and restarted by a supervisor. */
import { Applied } from '../../src/api/tasks/applied.ts';
import { startJoiner } from '../../src/joiner/joiner.ts';
import type { Role, RolePorts } from '../../src/ports.ts';
import { startProjector } from '../../src/projector/projector.ts';
import { type Env, portsOf } from './ports.ts';
import { Proc } from './scheduler.ts';

export type Kind = 'joiner' | 'projector' | 'api';

/** One member of the cluster. A process that dies is replaced. */
export class Member {
  readonly kind: Kind;
  readonly name: string;
  proc: Proc;
  ports: RolePorts | null = null;
  role: Role | null = null;
  applied: Applied | null = null;
  /** Scaled in: no process is wanted now. */
  idle = false;
  readonly #env: Env;
  #starts = 0;

  constructor(env: Env, kind: Kind, name: string) {
    this.#env = env;
    this.kind = kind;
    this.name = name;
    this.proc = new Proc(name, 0);
    this.proc.alive = false;
  }

  get alive(): boolean {
    return this.proc.alive;
  }

  start(): void {
    if (this.proc.alive || this.idle) return;
    const { scheduler, random, trace } = this.#env;
    this.#starts += 1;
    const proc = new Proc(`${this.name}.${this.#starts}`, random.between(-200, 200));
    this.proc = proc;
    this.role = null;
    this.ports = portsOf(this.#env, proc, this.kind);
    trace?.(proc.name, 'starts');
    if (this.kind === 'api') {
      this.applied = new Applied(
        this.ports.projection,
        this.ports.projection,
        this.#env.config.CLAIM_LEASE_MS,
        this.ports.clock,
      );
      return;
    }
    const run = this.kind === 'joiner' ? startJoiner : startProjector;
    run(this.ports).then(
      (role) => {
        this.role = role;
      },
      (error) => {
        trace?.(proc.name, `cannot start: ${String(error)}`);
        proc.alive = false;
        scheduler.after(500, () => this.start());
      },
    );
  }

  /** Like SIGKILL. */
  kill(): void {
    this.#env.trace?.(this.proc.name, 'is killed');
    this.proc.alive = false;
    this.role = null;
  }

  /** Like SIGTERM: the process finishes its work and ends. */
  stop(): void {
    const { proc, role } = this;
    if (role === null || !proc.alive || proc.paused) {
      this.kill();
      return;
    }
    this.#env.trace?.(proc.name, 'is stopped');
    const gone = (): void => {
      proc.alive = false;
      this.start(); // does nothing if the member is idle
    };
    role.stop().then(gone, gone);
  }

  pause(): void {
    this.#env.trace?.(this.proc.name, 'is paused');
    this.#env.scheduler.pause(this.proc);
  }

  resume(): void {
    if (!this.proc.paused) return;
    this.#env.trace?.(this.proc.name, 'continues');
    this.#env.scheduler.resume(this.proc);
  }
}

export class Cluster {
  readonly members: Member[];

  constructor(env: Env) {
    this.members = [
      new Member(env, 'joiner', 'joiner-a'),
      new Member(env, 'joiner', 'joiner-b'),
      new Member(env, 'joiner', 'joiner-c'),
      new Member(env, 'projector', 'projector-a'),
      new Member(env, 'projector', 'projector-b'),
      new Member(env, 'api', 'api'),
    ];
    for (const member of this.members) if (member.name === 'joiner-c') member.idle = true;
  }

  of(kind: Kind): Member[] {
    return this.members.filter((member) => member.kind === kind && !member.idle);
  }

  startAll(): void {
    for (const member of this.members) member.start();
  }

  /** Why a role is not ready; null if all are. */
  unready(): string | null {
    for (const { name, role, kind, idle } of this.members) {
      if (idle || kind === 'api') continue;
      const ready = role?.ready() ?? { ready: false, detail: 'starting' };
      if (!ready.ready) return `${name}: ${ready.detail}`;
    }
    return null;
  }
}
