// What every server of the local stack has in common, whoever starts it.

/** A server of this machine on 127.0.0.1. `kill` sends a signal and, when it is one that ends a process, waits for the end.
 *  `exited` resolves with how it ended and never rejects. `stop` is safe twice. */
export type LocalServer = {
  port: number;
  pid: number;
  exited: Promise<string>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
};

/** How a local server is started. */
export type LocalServerOptions = {
  /** Its data and logs; made when it is not there. */
  dir: string;
  /** Without it a free one is taken. */
  port?: number;
  /** It outlives this process. Otherwise it dies with it, whatever ends this process. */
  detached?: boolean;
  /** `dir` is removed when this process dies without stopping the server. */
  removeAfterDeath?: boolean;
  /** Hears of the process before it is ready, so that it can be written down. */
  onSpawn?: (server: { pid: number; port: number }) => void;
  /** Told about downloads. */
  log?: (line: string) => void;
};
