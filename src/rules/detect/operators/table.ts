/** Every operator that is run here, by its name. */
import type { CompileOperator } from '../spec.ts';
import { and, or, scope } from './junctions.ts';
import { cidr, privateAddress, privateV4, privateV6, publicAddress, publicV4, publicV6 } from './network.ts';
import { is32Bit, is64Bit, isArm, isPlatform, isTagged, platform } from './sensor.ts';
import { contains, endsWith, is, lookup, matches, startsWith, stringDistance } from './texts.ts';
import { exists, isGreaterThan, isLowerThan, isOlderThan } from './values.ts';

export const OPERATORS: ReadonlyMap<string, CompileOperator> = new Map([
  ['and', and],
  ['or', or],
  ['scope', scope],
  ['is', is],
  ['exists', exists],
  ['contains', contains],
  ['starts with', startsWith],
  ['ends with', endsWith],
  ['is greater than', isGreaterThan],
  ['is lower than', isLowerThan],
  ['matches', matches],
  ['string distance', stringDistance],
  ['lookup', lookup],
  ['cidr', cidr],
  ['is private address', privateAddress],
  ['is private ipv4 address', privateV4],
  ['is private ipv6 address', privateV6],
  ['is public address', publicAddress],
  ['is public ipv4 address', publicV4],
  ['is public ipv6 address', publicV6],
  ['is older than', isOlderThan],
  ['is 32 bit', is32Bit],
  ['is 64 bit', is64Bit],
  ['is arm', isArm],
  ['is tagged', isTagged],
  ['is platform', isPlatform],
  ['is windows', platform('windows')],
  ['is linux', platform('linux')],
  ['is mac', platform('macos')],
  ['is chrome', platform('chrome')],
  ['is text', platform('text')],
  ['is json', platform('json')],
  ['is gcp', platform('gcp')],
  ['is carbon_black', platform('carbon_black')],
]);

/** Made of other operators, or with more to say than yes and no. */
export const UNSHARED: ReadonlySet<string> = new Set(['and', 'or', 'scope', 'lookup']);

/** Parameters that turn an operator into something that is not run here. */
export const NOT_RUN: readonly string[] = ['with child', 'with descendant', 'with events'];
