// Why a stack does not come up, where it matters to whoever asked. Any other error of a start says in a sentence what a server
// or a tool lacks.

/** An environment variable is wrong; the sentence names it. */
export class StackSettingError extends Error {}

/** Another live program holds the folder: no other source would help. */
export class StackInUse extends Error {
  constructor(dir: string, pid: number) {
    super(`${dir} is in use by process ${pid}: stop that one first (Ctrl-C there).`);
  }
}
