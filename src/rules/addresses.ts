/**
 * Addresses and networks as bytes: 4 for IPv4, 16 for IPv6. An IPv4 address in IPv6 notation (`::ffff:10.0.0.1`) is IPv4. Only exact
 * addresses are accepted: no zone, leading zeros or spaces.
 */
import { isIP } from 'node:net';

export type Network = { bytes: readonly number[]; bits: number };
export type Family = 4 | 6;

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

export function parseAddress(text: string): readonly number[] | null {
  if (text.length > 45 || text.includes('%')) return null;
  const kind = isIP(text);
  if (kind === 0) return null;
  const bytes = kind === 4 ? text.split('.').map(Number) : parseV6(text);
  const mapped = bytes.length === 16 && MAPPED.every((byte, index) => bytes[index] === byte);
  return mapped ? bytes.slice(12) : bytes;
}

/** `text` is a valid IPv6 address. */
function parseV6(text: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  let colons = text;
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(1).map(Number) as [number, number, number, number];
    colons = `${text.slice(0, dotted.index)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head = '', tail] = colons.split('::');
  const left = words(head);
  if (tail === undefined) return left;
  const right = words(tail);
  return [...left, ...new Array<number>(16 - left.length - right.length).fill(0), ...right];
}

const words = (text: string): number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((word) => {
        const value = Number.parseInt(word, 16);
        return [value >> 8, value & 0xff];
      });

/** Null if the text is not an address, a slash and a number of bits. */
export function parseNetwork(text: string): Network | null {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const mappedBits = address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? 96 : 0;
  const bytes = parseAddress(address);
  const bits = Number(digits) - mappedBits;
  if (bytes === null || bits < 0 || bits > bytes.length * 8) return null;
  return { bytes, bits };
}

export function isInside(address: readonly number[], { bytes, bits }: Network): boolean {
  if (address.length !== bytes.length) return false;
  for (let index = 0, left = bits; left > 0; index += 1, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((address[index] as number) & mask) !== ((bytes[index] as number) & mask)) return false;
  }
  return true;
}

/** `texts` are valid networks. */
export const networks = (...texts: string[]): Network[] => texts.map((text) => parseNetwork(text) as Network);

const PRIVATE = networks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');
const NOT_PUBLIC = [
  ...PRIVATE,
  ...networks('127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '0.0.0.0/32'),
  ...networks('::1/128', 'fe80::/10', 'ff00::/8', 'fec0::/10', '::/128'),
];

/** Loopback and link-local addresses are neither private nor public. */
export const isPrivate = (address: readonly number[]): boolean => PRIVATE.some((network) => isInside(address, network));
export const isPublic = (address: readonly number[]): boolean =>
  !NOT_PUBLIC.some((network) => isInside(address, network));
export const isFamily = (address: readonly number[], family: Family): boolean =>
  address.length === (family === 4 ? 4 : 16);
