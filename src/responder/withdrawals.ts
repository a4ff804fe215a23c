/** What the `untask` actions of one batch share: the pending tasks of each org, read once, and how many may be withdrawn. */
import { pagesOf } from '../async/pages.ts';
import type { Target } from '../command/target.ts';
import type { RolePorts } from '../ports.ts';
import { RuleFault } from '../rules/errors.ts';

const PAGE = 500;
/** Pending tasks that one `untask` without a task id withdraws. */
const TASKS_MAX = 10_000;
/** Tasks that all events of a batch together withdraw in one org. */
export const BATCH_TASKS_MAX = 20_000;

export type PendingIds = Pick<RolePorts['projection'], 'pendingIds'>;

export class Withdrawals {
  readonly #projection: PendingIds;
  readonly #pending = new Map<string, readonly string[]>();
  readonly #counts = new Map<string, number>();
  /** `oid selector` of the targets that were withdrawn from. */
  readonly #targets = new Set<string>();

  constructor({ projection }: { projection: PendingIds }) {
    this.#projection = projection;
  }

  /** The tasks to withdraw for a target; none the second time. Throws a RuleFault above the limit of the batch. */
  async taskIds(oid: string, { selector }: Target): Promise<readonly string[]> {
    const target = `${oid} ${selector}`;
    if (this.#targets.has(target)) return [];
    const ids = this.#pending.get(oid) ?? (await this.#pendingIds(oid));
    this.#pending.set(oid, ids);
    const count = (this.#counts.get(oid) ?? 0) + ids.length;
    if (count > BATCH_TASKS_MAX)
      throw new RuleFault(
        `The events of one batch withdraw at most ${BATCH_TASKS_MAX} tasks: this action did not run. Name a task_id.`,
      );
    this.#counts.set(oid, count);
    this.#targets.add(target);
    return ids;
  }

  async #pendingIds(oid: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { ids } of pagesOf((cursor) => this.#projection.pendingIds(oid, PAGE, cursor))) {
      found.push(...ids);
      if (found.length >= TASKS_MAX) break;
    }
    return found.slice(0, TASKS_MAX);
  }
}
