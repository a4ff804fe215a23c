/** Work that texts decide, as totals of this process, which only grow. One unit is some 25 to 100 ns. `spent`: characters times
 *  steps of regular expressions, compiling them, and clauses asked of items of lists. `refused`: evaluations that ended because
 *  a text was too long for its regular expression. */
export const work = { spent: 0, refused: 0 };
