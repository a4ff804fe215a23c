/**
 * What is left to be asked where keys do not say it all. Each distinct clause is kept once, however many selectors have it,
 * and asked once for each record. Clauses are joined as in the plain predicate: left to right, an error ends it.
 */
import { junction, type SelectorAst, type SelectorRecord, type Verdict } from '../ast.ts';
import { compileSelector, joinLeaves, type Leaf, type Predicate } from '../compile.ts';
import { printSelector } from '../print.ts';
import { patternsIn, Regexes } from '../work.ts';

/** To be given back to `release` when it is not needed any more. */
export interface Question {
  /** `now` tells records apart: each has another number. */
  ask(record: SelectorRecord, now: number): Verdict;
}

class Clause implements Question {
  readonly text: string;
  uses = 0;
  readonly #predicate: Predicate;
  #askedAt = -1;
  #verdict: Verdict = false;

  constructor(leaf: Leaf, whole: SelectorAst, text: string) {
    this.text = text;
    this.#predicate = compileSelector(leaf, whole);
  }

  ask(record: SelectorRecord, now: number): Verdict {
    if (this.#askedAt !== now) {
      this.#verdict = this.#predicate(record);
      this.#askedAt = now;
    }
    return this.#verdict;
  }
}

/** Several clauses, joined by and, or. */
class Joined implements Question {
  readonly clauses: readonly Clause[];
  readonly #predicate: Predicate;
  #now = 0;

  constructor(tree: SelectorAst, take: (leaf: Leaf) => Clause) {
    const clauses: Clause[] = [];
    this.#predicate = joinLeaves(tree, (leaf) => {
      const clause = take(leaf);
      clauses.push(clause);
      return (record) => clause.ask(record, this.#now);
    });
    this.clauses = clauses;
  }

  ask(record: SelectorRecord, now: number): Verdict {
    this.#now = now;
    return this.#predicate(record);
  }
}

export class Clauses {
  readonly #byText = new Map<string, Clause>();

  /** Distinct clauses in use. */
  get size(): number {
    return this.#byText.size;
  }

  /** Asks whether all of these are true, of which there is at least one. `whole`: the selector that they are of. */
  question(conjuncts: readonly SelectorAst[], whole: SelectorAst): Question {
    const tree = junction('and', conjuncts);
    if (tree.type === 'comparison' || tree.type === 'state' || tree.type === 'collection')
      return this.#take(tree, whole);
    return new Joined(tree, (leaf) => this.#take(leaf, whole));
  }

  release(question: Question): void {
    const clauses = question instanceof Joined ? question.clauses : [question as Clause];
    for (const clause of clauses) {
      clause.uses -= 1;
      if (clause.uses === 0) this.#byText.delete(clause.text);
    }
  }

  #take(leaf: Leaf, whole: SelectorAst): Clause {
    const text = printSelector(leaf) + roomOf(leaf, whole);
    let clause = this.#byText.get(text);
    if (clause === undefined) {
      clause = new Clause(leaf, whole, text);
      this.#byText.set(text, clause);
    }
    clause.uses += 1;
    return clause;
  }
}

/** What a clause answers depends on its selector only where others of its regular expressions share the budget. */
function roomOf(leaf: Leaf, whole: SelectorAst): string {
  const mine = patternsIn(leaf).length;
  if (mine === 0) return '';
  const regexes = Regexes.of(whole);
  return regexes.patterns.length === mine ? '' : ` ${regexes.steps}`;
}
