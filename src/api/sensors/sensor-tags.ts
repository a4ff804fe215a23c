/** The tags of an org, and the sensors with a tag. */
import { compileSelector } from '../../selector/evaluate/compile.ts';
import { parseSelector } from '../../selector/language/parse.ts';
import { tagSelector } from '../../selector/language/targets.ts';
import type { ApiContext } from '../actions/action.ts';
import { stillUsable } from '../reads.ts';
import { scanSensors } from './scan.ts';
import { sensorsFor } from './sensors.ts';

/** Names the field that is read, so that nothing else is decoded. */
const READS_TAGS = parseSelector('tags is not empty');

/** Each tag once, in order. Memory holds the distinct tags. */
export async function allTags(context: ApiContext, oid: string): Promise<string[]> {
  const found = new Set<string>();
  await scanSensors(context, oid, [READS_TAGS], [READS_TAGS], ({ sensors }) => {
    for (const { record } of sensors) for (const tag of (record.tags ?? []) as readonly string[]) found.add(tag);
  });
  return [...found].sort();
}

/** By sid, a page at a time. Throws if the projection is lost meanwhile. */
export async function* sensorsWithTag(
  context: ApiContext,
  oid: string,
  tag: string,
  epoch: string,
): AsyncGenerator<(readonly [string, { sid: string; hostname: string }])[]> {
  const tree = parseSelector(tagSelector(tag));
  const matches = compileSelector(tree);
  for await (const page of sensorsFor(context, oid, [tree])) {
    const found = page.filter(({ record }) => matches(record) === true);
    await stillUsable(context.reads, oid, epoch);
    yield found.map(({ sid, hostname }) => [sid, { sid, hostname }] as const);
  }
}
