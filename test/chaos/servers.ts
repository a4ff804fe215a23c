/** A Kafka and a Redis of a run's own, which can be killed and come back on the same port, with their data or without. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startLocalKafka } from '../../src/stack/local/kafka.ts';
import { startLocalRedis } from '../../src/stack/local/redis.ts';
import type { LocalServer } from '../../src/stack/local/server.ts';

export class Servers {
  readonly #kafkaDir: string;
  readonly #redisDir: string;
  readonly #snapshotDir: string;
  #kafka!: LocalServer;
  #redis!: LocalServer;

  constructor(folder: string) {
    this.#kafkaDir = join(folder, 'kafka');
    this.#redisDir = join(folder, 'redis');
    this.#snapshotDir = join(folder, 'redis-before');
  }

  get env(): { KAFKA_BROKERS: string; REDIS_URL: string } {
    return { KAFKA_BROKERS: `127.0.0.1:${this.#kafka.port}`, REDIS_URL: `redis://127.0.0.1:${this.#redis.port}` };
  }

  async start(): Promise<void> {
    [this.#kafka, this.#redis] = await Promise.all([
      startLocalKafka({ dir: this.#kafkaDir }),
      startLocalRedis({ dir: this.#redisDir, persist: true }),
    ]);
  }

  /** The process dies at once; what the broker had acknowledged is on its disk. */
  async restartKafka(): Promise<void> {
    await this.#kafka.kill('SIGKILL');
    this.#kafka = await startLocalKafka({ dir: this.#kafkaDir, port: this.#kafka.port });
  }

  /** `with`: all that it had but the last second; nothing; or what it had at the last `keepRedis`. */
  async restartRedis(data: 'all' | 'nothing' | 'older'): Promise<void> {
    await this.#redis.kill('SIGKILL');
    if (data !== 'all') rmSync(this.#redisDir, { recursive: true, force: true });
    if (data === 'older') cpSync(this.#snapshotDir, this.#redisDir, { recursive: true });
    this.#redis = await startLocalRedis({ dir: this.#redisDir, port: this.#redis.port, persist: true });
  }

  /** Copies the data as a backup of a running Redis would. */
  keepRedis(): void {
    rmSync(this.#snapshotDir, { recursive: true, force: true });
    cpSync(this.#redisDir, this.#snapshotDir, { recursive: true });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#kafka?.stop(), this.#redis?.stop()]);
  }
}
