/** The parent's side of raw.ts. */
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { RawAnswer, RawJob, RawResult } from './raw.ts';
import type { System } from './system.ts';

const JOB_MS = 120_000;

export class RawProcess {
  readonly #child: Child;

  constructor(system: System, name: string) {
    this.#child = system.keep(
      startChild('raw.ts', [], { env: system.env, logFile: join(system.folder, `${name}.log`) }),
    );
  }

  async pass(job: RawJob): Promise<RawResult> {
    const answer = await this.#ask(job, (found) => 'result' in found);
    return (answer as { result: RawResult }).result;
  }

  /** Resolves when the relay reads. */
  async relay(job: RawJob): Promise<void> {
    await this.#ask(job, (found) => 'ready' in found);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  #ask(job: RawJob, isAnswer: (answer: RawAnswer) => boolean): Promise<RawAnswer> {
    const { process: child } = this.#child;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`raw kafkajs (${job.kind}) did not end in time`)), JOB_MS);
      const end = (settle: () => void) => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        settle();
      };
      const onExit = () => end(() => reject(new Error(`raw kafkajs (${job.kind}) ended by itself`)));
      const onMessage = (message: unknown) => {
        const answer = message as RawAnswer;
        if ('fault' in answer) end(() => reject(new Error(`raw kafkajs (${job.kind}): ${answer.fault}`)));
        else if (isAnswer(answer)) end(() => resolve(answer));
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(job);
    });
  }
}
