/**
 * The clauses that have to be evaluated because keys do not settle them. Each distinct clause exists once, however many selectors
 * contain it, and is evaluated at most once for each record. Joined clauses are evaluated like the plain predicate: from left to right,
 * and an error ends the evaluation.
 */
import { junction, type Leaf, type SelectorAst } from '../ast.ts';
import { compileSelector, joinLeaves } from '../evaluate/compile.ts';
import { patternsIn, SelectorRegexes } from '../evaluate/regex-budget.ts';
import { printSelector } from '../language/print.ts';
import type { Predicate, SelectorRecord, Verdict } from '../predicate.ts';

/** What a record must satisfy besides its keys. Give it back to `release` when it is no longer used. */
export interface Condition {
  /** Each record has a different `recordNumber`. */
  evaluate(record: SelectorRecord, recordNumber: number): Verdict;
}

class Clause implements Condition {
  readonly text: string;
  uses = 0;
  readonly #predicate: Predicate;
  #evaluatedFor = -1;
  #verdict: Verdict = false;

  constructor(leaf: Leaf, whole: SelectorAst, text: string) {
    this.text = text;
    this.#predicate = compileSelector(leaf, whole);
  }

  evaluate(record: SelectorRecord, recordNumber: number): Verdict {
    if (this.#evaluatedFor !== recordNumber) {
      this.#verdict = this.#predicate(record);
      this.#evaluatedFor = recordNumber;
    }
    return this.#verdict;
  }
}

/** Several clauses, joined by and/or. */
class JoinedClauses implements Condition {
  readonly clauses: readonly Clause[];
  readonly #predicate: Predicate;
  #recordNumber = 0;

  constructor(tree: SelectorAst, clauseOf: (leaf: Leaf) => Clause) {
    const clauses: Clause[] = [];
    this.#predicate = joinLeaves(tree, (leaf) => {
      const clause = clauseOf(leaf);
      clauses.push(clause);
      return (record) => clause.evaluate(record, this.#recordNumber);
    });
    this.clauses = clauses;
  }

  evaluate(record: SelectorRecord, recordNumber: number): Verdict {
    this.#recordNumber = recordNumber;
    return this.#predicate(record);
  }
}

export class Clauses {
  readonly #byText = new Map<string, Clause>();

  /** Distinct clauses in use. */
  get size(): number {
    return this.#byText.size;
  }

  /** The condition that all of the conjuncts are true. There is at least one. `whole`: the selector that contains them. */
  condition(conjuncts: readonly SelectorAst[], whole: SelectorAst): Condition {
    const tree = junction('and', conjuncts);
    if (tree.type === 'comparison' || tree.type === 'state' || tree.type === 'collection')
      return this.#use(tree, whole);
    return new JoinedClauses(tree, (leaf) => this.#use(leaf, whole));
  }

  release(condition: Condition): void {
    const clauses = condition instanceof JoinedClauses ? condition.clauses : [condition as Clause];
    for (const clause of clauses) {
      clause.uses -= 1;
      if (clause.uses === 0) this.#byText.delete(clause.text);
    }
  }

  #use(leaf: Leaf, whole: SelectorAst): Clause {
    const text = printSelector(leaf) + budgetOf(leaf, whole);
    let clause = this.#byText.get(text);
    if (clause === undefined) {
      clause = new Clause(leaf, whole, text);
      this.#byText.set(text, clause);
    }
    clause.uses += 1;
    return clause;
  }
}

/** The verdict of a clause depends on its selector only if other regular expressions of the selector share the budget. */
function budgetOf(leaf: Leaf, whole: SelectorAst): string {
  const own = patternsIn(leaf).length;
  if (own === 0) return '';
  const regexes = SelectorRegexes.of(whole);
  return regexes.patterns.length === own ? '' : ` ${regexes.steps}`;
}
