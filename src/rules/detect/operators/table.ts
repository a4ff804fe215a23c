/** Every operator of rules, by name. An operator is defined in one of the files below, together with its name. */
import { JUNCTIONS } from './junctions.ts';
import { NETWORK_OPERATORS } from './network.ts';
import type { Operator } from './operator.ts';
import { SENSOR_OPERATORS } from './sensor.ts';
import { TEXT_OPERATORS } from './texts.ts';
import { VALUE_OPERATORS } from './values.ts';

export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [JUNCTIONS, TEXT_OPERATORS, VALUE_OPERATORS, NETWORK_OPERATORS, SENSOR_OPERATORS].flatMap(Object.entries<Operator>),
);

/** Parameters of the public format that turn an operator into one that is not supported. */
export const UNSUPPORTED_PARAMETERS: readonly string[] = ['with child', 'with descendant', 'with events'];
