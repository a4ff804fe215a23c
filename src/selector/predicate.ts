/** The input and the result of a selector. */

/** One sensor as selectors see it. A missing fact is an absent key. Values may be nested. */
export type SelectorRecord = { readonly [field: string]: unknown };

/** 'error': a field is missing, or a value cannot be read as the type of the field. An error selects nothing. */
export type Verdict = boolean | 'error';

export type Predicate = (record: SelectorRecord) => Verdict;
