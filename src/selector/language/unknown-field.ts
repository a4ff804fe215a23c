/** Refuses fields that no sensor has, and suggests the field that was probably meant. */
import { nearestName } from '../../text/nearest-name.ts';
import type { ComparisonNode } from '../ast.ts';
import { SelectorError } from '../errors.ts';
import { COMPARISONS, comparisonText } from '../operators/table.ts';
import { isSensorField, SENSOR_FIELD_NAMES } from '../sensor/fields.ts';
import { printPath } from './print.ts';

/** Names that other products use for our fields. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  os: 'plat',
  name: 'hostname',
  computer: 'hostname',
  machine: 'hostname',
  ip: 'int_ip or ext_ip',
  id: 'sid',
  org: 'oid',
  label: 'tags',
  labels: 'tags',
};

/** Throws a SelectorError for an unknown field. `bound`: the names that the surrounding any/all bind. */
export function refuseUnknownField(
  path: readonly string[],
  column: number,
  bound: readonly string[],
  hint?: string | undefined,
): void {
  const [first = ''] = path;
  if (bound.includes(first)) return;
  const partOfTag = first === 'tags' && path.length === 2;
  if (isSensorField(first) && (path.length === 1 || partOfTag)) return;
  throw new SelectorError({
    code: 'selector_unknown_field',
    column,
    found: printPath(path),
    expected: `a field of a sensor (${SENSOR_FIELD_NAMES.join(', ')})`,
    hint: isSensorField(first) ? `${first} has no parts of that name` : (hint ?? meantName(first, bound)),
  });
}

/** The hint for a selector with the field on the side of the value, such as `plat in linux`. */
export function swappedSides({ operator, negated, path, value }: ComparisonNode): string | undefined {
  if (!COMPARISONS[operator].valueFirst || !isSensorField(value) || path.length !== 1) return undefined;
  return `the field is on the right of ${operator}: write ${value} ${comparisonText('==', negated)} ${path[0]}`;
}

function meantName(name: string, bound: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const nearest = Object.hasOwn(FOREIGN_NAMES, wanted)
    ? FOREIGN_NAMES[wanted]
    : nearestName(name, [...bound, ...SENSOR_FIELD_NAMES]);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return bound.length === 0 ? undefined : `items are called ${bound.join(', ')} here`;
}
