/** The faults by name: what each does to the system and how it ends. One fault at a time for each thing that it is about. */
import type { TopicKey } from '../../src/topics.ts';
import type { System } from '../integration/support/system.ts';
import type { Random } from '../sim/random.ts';
import type { Servers } from './servers.ts';

export type World = {
  system: System;
  servers: Servers;
  random: Random;
  /** Records of a topic that were seen lately, as bytes. */
  lately(topic: TopicKey): readonly { key: string; value: Buffer }[];
  /** Resolves after the time; rejects when the run is given up. */
  wait(ms: number): Promise<void>;
};

type Fault = { about: string; run(world: World): Promise<void> };

/** Longer than KAFKA_SESSION_MS: the group goes on without the process. */
const PAUSE_MS = 8_000;
const REPEATED = 50;

const oneOf = ({ system, random }: World, role: string): string =>
  random.pick([...system.roles.keys()].filter((name) => name.split('-')[0] === role));

const kill = (role: string): Fault => ({
  about: role,
  run: async (world) => world.system.kill(oneOf(world, role)),
});

const pause = (role: string): Fault => ({
  about: role,
  run: async (world) => {
    const name = oneOf(world, role);
    world.system.kill(name, 'SIGSTOP');
    await world.wait(PAUSE_MS).finally(() => world.system.kill(name, 'SIGCONT'));
  },
});

/** A third of these joins, works for a while and leaves as it should. */
const growAndShrink = (...roles: string[]): Fault => ({
  about: 'size',
  run: async ({ system, wait }) => {
    const names = roles.map((role) => `${role}-3`);
    try {
      await system.startRoles(names);
      await wait(4_000);
    } finally {
      await Promise.all(names.map((name) => system.roles.get(name)?.stop()));
      for (const name of names) system.roles.delete(name);
    }
  },
});

/** What producers that try again do: records once more, and old ones behind newer ones. */
const again = (topic: TopicKey, order: 'same' | 'reversed'): Fault => ({
  about: `records of ${topic}`,
  run: async ({ system, random, lately }) => {
    const known = lately(topic);
    const from = random.below(Math.max(1, known.length - REPEATED));
    const some = known.slice(from, from + REPEATED);
    for (const record of order === 'same' ? some : some.toReversed())
      await system.producer.send(system.topics[topic], [record]);
  },
});

/** Bytes that are no record, on every topic that takes some from outside. */
const poison: Fault = {
  about: 'poison',
  run: async ({ system, random }) => {
    for (const topic of ['commands', 'presence', 'sensorEvents'] as const) {
      const value = Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)));
      await system.producer.send(system.topics[topic], [{ key: `poison-${random.below(1e9)}`, value }]);
    }
  },
};

export const FAULTS = {
  'kill an api': kill('api'),
  'kill a projector': kill('projector'),
  'kill a joiner': kill('joiner'),
  'kill a responder': kill('responder'),
  'pause a joiner': pause('joiner'),
  'pause a projector': pause('projector'),
  'groups grow and shrink': growAndShrink('joiner', 'projector'),
  'restart the broker': { about: 'kafka', run: ({ servers }) => servers.restartKafka() },
  'flush redis': { about: 'redis', run: async ({ system }) => void (await system.redis.flushall()) },
  'restart redis': { about: 'redis', run: ({ servers }) => servers.restartRedis('all') },
  'replace redis by an empty one': { about: 'redis', run: ({ servers }) => servers.restartRedis('nothing') },
  'set redis back': {
    about: 'redis',
    run: async ({ servers, wait }) => {
      servers.keepRedis();
      await wait(4_000);
      await servers.restartRedis('older');
    },
  },
  'repeat presence': again('presence', 'same'),
  'repeat answers': again('sensorEvents', 'same'),
  'repeat commands': again('commands', 'same'),
  'reorder presence': again('presence', 'reversed'),
  poison,
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
