/** What the actions of one batch share: the pending tasks of an org, read once, and how many of them may be withdrawn. */
import { pagesOf } from '../async/pages.ts';
import type { Target } from '../command/target.ts';
import type { RolePorts } from '../ports.ts';
import { RuleFault } from '../rules/errors.ts';

const TASKS_PAGE = 500;
/** Pending tasks that one `untask` without a task id withdraws. */
const TASKS_MAX = 10_000;
/** The same, of all events of a batch together, for one org. */
export const BATCH_TASKS_MAX = 20_000;

export class Turn {
  readonly #projection: RolePorts['projection'];
  readonly #pending = new Map<string, readonly string[]>();
  readonly #withdrawn = new Map<string, number>();
  readonly #asked = new Set<string>();

  constructor({ projection }: Pick<RolePorts, 'projection'>) {
    this.#projection = projection;
  }

  /** The tasks to withdraw for a target; none where it was asked for before. Throws a RuleFault beyond the bound of the batch. */
  async allTasks(oid: string, { selector }: Target): Promise<readonly string[]> {
    const place = `${oid} ${selector}`;
    if (this.#asked.has(place)) return [];
    const ids = this.#pending.get(oid) ?? (await this.#pendingIds(oid));
    this.#pending.set(oid, ids);
    const withdrawn = (this.#withdrawn.get(oid) ?? 0) + ids.length;
    if (withdrawn > BATCH_TASKS_MAX)
      throw new RuleFault(
        `Events that come together withdraw at most ${BATCH_TASKS_MAX} tasks: this one is left out. Name a task_id.`,
      );
    this.#withdrawn.set(oid, withdrawn);
    this.#asked.add(place);
    return ids;
  }

  async #pendingIds(oid: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { ids } of pagesOf((cursor) => this.#projection.pendingIds(oid, TASKS_PAGE, cursor))) {
      found.push(...ids);
      if (found.length >= TASKS_MAX) break;
    }
    return found.slice(0, TASKS_MAX);
  }
}
