/** Operators that consist of operators: `and`, `or` (both stop early) and `scope`. */
import type { Test } from '../../view.ts';
import { valuesAt } from '../path.ts';
import type { Spec } from '../spec.ts';
import type { Operators } from './operator.ts';

const rulesOf = (spec: Spec): Test[] => spec.list('rules').map((rule, index) => spec.inner(rule, `rules/${index}`));

function and(spec: Spec): Test {
  const rules = rulesOf(spec);
  return (view, run) => {
    for (const rule of rules) if (!rule(view, run)) return false;
    return true;
  };
}

function or(spec: Spec): Test {
  const rules = rulesOf(spec);
  return (view, run) => {
    for (const rule of rules) if (rule(view, run)) return true;
    return false;
  };
}

/** The inner rule sees each value at the path as its `event`. `routing` stays the same. */
function scope(spec: Spec): Test {
  const path = spec.path();
  const inner = spec.inner(spec.required('rule'), 'rule');
  return (view, run) =>
    valuesAt(view, path, run).some((event) => {
      run.spend(1);
      return inner({ ...view, event }, run);
    });
}

export const JUNCTIONS: Operators = {
  and: { compile: and, neverShared: true },
  or: { compile: or, neverShared: true },
  scope: { compile: scope, neverShared: true },
};
