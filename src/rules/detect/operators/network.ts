/** Operators on addresses. A value that is not an address is in no network, and neither private nor public. */
import { type Family, isFamily, isInside, isPrivate, isPublic, parseAddress, parseNetwork } from '../../addresses.ts';
import type { Run, Test } from '../../view.ts';
import { someValue } from '../path.ts';
import type { CompileOperator, Spec } from '../spec.ts';
import type { Operators } from './operator.ts';

function anyAddress(spec: Spec, matches: (address: readonly number[]) => boolean): Test {
  const path = spec.path();
  const matchesText = (value: unknown, _: undefined, run: Run): boolean => {
    run.spend(4);
    const address = typeof value === 'string' ? parseAddress(value) : null;
    return address !== null && matches(address);
  };
  return (view, run) => someValue(view, path, run, undefined, matchesText);
}

function cidr(spec: Spec): Test {
  const network = parseNetwork(spec.text('cidr'));
  if (network === null) throw spec.fault('cidr', '`cidr` must be a network such as 10.16.1.0/24.');
  return anyAddress(spec, (address) => isInside(address, network));
}

const addressThat =
  (matches: (address: readonly number[]) => boolean, family?: Family): CompileOperator =>
  (spec) =>
    anyAddress(spec, (address) => (family === undefined || isFamily(address, family)) && matches(address));

export const NETWORK_OPERATORS: Operators = {
  cidr: { compile: cidr },
  'is private address': { compile: addressThat(isPrivate) },
  'is private ipv4 address': { compile: addressThat(isPrivate, 4) },
  'is private ipv6 address': { compile: addressThat(isPrivate, 6) },
  'is public address': { compile: addressThat(isPublic) },
  'is public ipv4 address': { compile: addressThat(isPublic, 4) },
  'is public ipv6 address': { compile: addressThat(isPublic, 6) },
};
