/** What a benchmark is: it is given a stack and flags, and gives sections of a table and the same as data. */

/** Where it runs and how. `note` tells a person what is going on; it is not part of the result. */
export type Context = {
  kafkaBrokers: string[];
  redisUrl: string;
  flags: Flags;
  note(line: string): void;
  /** Aborted by Ctrl-C and SIGTERM. */
  stopped: AbortSignal;
};

/** Sizes as given on the command line; what is not given is the benchmark's to choose. */
export type Flags = {
  /** Small sizes: the whole run takes less than a minute. */
  quick: boolean;
  orgs?: number;
  tasks?: number;
  sensors?: number;
  connects?: number;
  runs?: number;
  ratePerSecond?: number;
  seconds?: number;
  /** Folder for a CPU profile of the process under test. */
  profileFolder?: string;
};

/** One table: headers and rows, and sentences below it. */
export type Section = { title: string; headers: string[]; rows: string[][]; notes: string[] };

/** `data` is what --json prints, in stable names with units. */
export type Result = { data: object; sections: Section[] };

export type Bench = {
  summary: string;
  /** It works without Kafka and Redis: what the context says of them is empty when none of those that run needs them. */
  stackless?: boolean;
  run(context: Context): Promise<Result>;
};
