// Errors of a start that the caller handles in its own way. All other errors are a sentence about what a server or a tool lacks.

/** An environment variable is wrong; the sentence names it. */
export class StackSettingError extends Error {}

/** Another program owns the folder: no other source would help. */
export class StackInUse extends Error {
  constructor(dir: string, pid: number) {
    super(`${dir} is in use by process ${pid}: stop that one first (Ctrl-C there).`);
  }
}
