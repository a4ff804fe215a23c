/**
 * The selector language: text -> tree -> predicate -> set over many. The text is what people write in a task; the tree is
 * plain data; the predicate answers true, false or 'error' for one sensor's record. See docs/selectors.md.
 */
export type { SelectorAst, SelectorRecord, Verdict } from './ast.ts';
export { SELECTOR_BOUNDS } from './ast.ts';
export { type CheckedSelector, checkSelector } from './check.ts';
export { compileSelector, type Predicate } from './compile.ts';
export { type MatchedGroup, SelectorSet } from './engine/set.ts';
export { SELECTOR_ERROR_CODES, SelectorError, type SelectorErrorCode } from './errors.ts';
export { type EvaluatedSelector, evaluateSelector } from './evaluate.ts';
export { type ExplainedClause, type Explanation, explainSelector } from './explain.ts';
export { type SelectorFacts, toSelectorRecord } from './facts.ts';
export { SENSOR_FIELD_NAMES } from './fields.ts';
export { parseExpression, parseSelector } from './parse.ts';
export { type PartPlan, type PartState, partPlan } from './part.ts';
export { printSelector } from './print.ts';
export { recordOf } from './record.ts';
export { work } from './spent.ts';
export { sidOf, sidSelector, tagSelector } from './targets.ts';
export { asksOfTexts, SLICE_WORK, Slices } from './work.ts';
