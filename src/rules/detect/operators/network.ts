/** Operators on addresses. What is no address is in no network, neither private nor public. */
import { type Family, isFamily, isInside, isPrivate, isPublic, parseAddress, parseNetwork } from '../../addresses.ts';
import type { Run, Test } from '../../view.ts';
import { someValue } from '../path.ts';
import type { Spec } from '../spec.ts';

function anyAddress(spec: Spec, fits: (address: readonly number[]) => boolean): Test {
  const path = spec.path();
  const fitsParsed = (value: unknown, _: undefined, run: Run): boolean => {
    run.spend(4);
    const address = typeof value === 'string' ? parseAddress(value) : null;
    return address !== null && fits(address);
  };
  return (view, run) => someValue(view, path, run, undefined, fitsParsed);
}

export function cidr(spec: Spec): Test {
  const network = parseNetwork(spec.text('cidr'));
  if (network === null) throw spec.fault('cidr', 'It has to be a network such as 10.16.1.0/24.');
  return anyAddress(spec, (address) => isInside(address, network));
}

const kind =
  (fits: (address: readonly number[]) => boolean, family?: Family) =>
  (spec: Spec): Test =>
    anyAddress(spec, (address) => (family === undefined || isFamily(address, family)) && fits(address));

export const privateAddress = kind(isPrivate);
export const privateV4 = kind(isPrivate, 4);
export const privateV6 = kind(isPrivate, 6);
export const publicAddress = kind(isPublic);
export const publicV4 = kind(isPublic, 4);
export const publicV6 = kind(isPublic, 6);
