/** The faults of a run, and how they end. A run has some kinds of faults and not others. */
import type { Cluster, Kind, Member } from './cluster.ts';
import { ORGS } from './fleet.ts';
import type { Env } from './ports.ts';

export type FaultName =
  | 'kill'
  | 'pause'
  | 'scale'
  | 'flush'
  | 'replace'
  | 'redisAway'
  | 'redisSlow'
  | 'cut'
  | 'shard'
  | 'brokerAway'
  | 'unwell'
  | 'brokerSlow';

const WEIGHTS: Record<FaultName, number> = {
  kill: 4,
  pause: 3,
  scale: 1,
  flush: 1,
  replace: 2,
  redisAway: 2,
  redisSlow: 2,
  cut: 2,
  shard: 2,
  brokerAway: 2,
  unwell: 3,
  brokerSlow: 2,
};

export class Faults {
  readonly #env: Env;
  readonly #cluster: Cluster;
  readonly #weights: Partial<Record<FaultName, number>>;
  #healed = false;

  /** Each kind is part of a run or not, at random, so that each also occurs alone. */
  constructor(env: Env, cluster: Cluster) {
    this.#env = env;
    this.#cluster = cluster;
    const names = Object.keys(WEIGHTS) as FaultName[];
    const some = names.filter(() => env.random.chance(0.5));
    this.#weights = Object.fromEntries((some.length > 0 ? some : names).map((name) => [name, WEIGHTS[name]]));
  }

  one(): void {
    this[this.#env.random.weighted(this.#weights as Record<FaultName, number>)]();
  }

  #say(what: string): void {
    this.#env.trace?.('fault', what);
  }

  #later(leastMs: number, mostMs: number, undo: () => void): void {
    const { scheduler, random } = this.#env;
    scheduler.after(random.between(leastMs, mostMs), () => {
      if (!this.#healed) undo();
    });
  }

  #someone(): Member | undefined {
    const kind = this.#env.random.weighted<Kind>({ joiner: 6, projector: 4, api: 1 });
    const found = this.#cluster.of(kind).filter(({ alive, proc }) => alive && !proc.paused);
    return found.length === 0 ? undefined : this.#env.random.pick(found);
  }

  kill(): void {
    const member = this.#someone();
    member?.kill();
    this.#later(50, 4_000, () => member?.start());
  }

  pause(): void {
    const member = this.#someone();
    if (!member) return;
    member.pause();
    const { proc } = member;
    const long = this.#env.random.chance(0.4);
    this.#later(long ? 10_000 : 100, long ? 25_000 : 3_000, () => {
      if (member.proc === proc) member.resume();
    });
  }

  scale(): void {
    const third = this.#cluster.members.find(({ name }) => name === 'joiner-c') as Member;
    third.idle = !third.idle;
    this.#say(third.idle ? 'one joiner less' : 'one joiner more');
    if (third.idle) third.stop();
    else third.start();
  }

  flush(): void {
    this.#say('FLUSHALL');
    this.#env.redis.memory.flush();
  }

  replace(): void {
    const { redis, random } = this.#env;
    if (random.chance(0.5)) {
      this.#say('redis saves');
      redis.save();
      return;
    }
    const data = random.weighted({ empty: 1, same: 1, saved: 2 } as const);
    this.#say(`redis is replaced, ${data}`);
    redis.stop();
    if (random.chance(0.5)) redis.start(data);
    else this.#later(100, 4_000, () => redis.start(data));
  }

  redisAway(): void {
    const { redis } = this.#env;
    this.#say('redis cannot be reached');
    redis.stop();
    this.#later(50, 6_000, () => redis.reconnect());
  }

  redisSlow(): void {
    const { redis, random } = this.#env;
    redis.slowMs = random.chance(0.3) ? random.between(300, 4_000) : random.between(20, 300);
    this.#say(`redis is slow by ${Math.round(redis.slowMs)} ms`);
    this.#later(200, 5_000, () => {
      redis.slowMs = 0;
    });
  }

  cut(): void {
    this.#say('connections to redis break');
    this.#env.redis.cut = 0.3;
    this.#later(100, 3_000, () => {
      this.#env.redis.cut = 0;
    });
  }

  /** The shard of one org, as in a Redis Cluster. */
  shard(): void {
    const { memory } = this.#env.redis;
    const oid = this.#env.random.pick(ORGS);
    this.#say(`the shard of ${oid.slice(0, 4)} is away`);
    memory.away.add(oid);
    this.#later(100, 10_000, () => memory.away.delete(oid));
  }

  brokerAway(): void {
    this.#say('the broker is away');
    this.#env.broker.setUp(false);
    this.#later(100, 8_000, () => this.#env.broker.setUp(true));
  }

  unwell(): void {
    this.#say('the broker is unwell');
    this.#env.trouble.produce = this.#env.random.pick([0.1, 0.3, 0.7]);
    this.#later(200, 6_000, () => {
      this.#env.trouble.produce = 0;
    });
  }

  brokerSlow(): void {
    this.#env.trouble.brokerMs = this.#env.random.between(10, 400);
    this.#say('the broker is slow');
    this.#later(200, 5_000, () => {
      this.#env.trouble.brokerMs = 0;
    });
  }

  heal(): void {
    const { redis, broker, trouble } = this.#env;
    this.#say('all parts come back');
    this.#healed = true;
    trouble.produce = 0;
    trouble.brokerMs = 0;
    redis.slowMs = 0;
    redis.cut = 0;
    redis.memory.away.clear();
    redis.reconnect();
    broker.setUp(true);
    for (const member of this.#cluster.members) {
      member.resume();
      member.start();
    }
  }
}
