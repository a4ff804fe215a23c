/** Whom an address stands for, where requests are counted by it. Pure. */
import { parseAddress } from '../rules/addresses.ts';

/** Of IPv6 a customer has a network of 64 bits, and any address in it. */
const IPV6_BYTES = 8;

/** The address, or of IPv6 its network. Some proxies write the port behind the address: it changes with each connection. What is
 *  no address stands for itself; so does '', the address of a connection that is gone. */
export function networkOf(text = ''): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const bytes = parseAddress(address);
  if (bytes === null) return address;
  return bytes.length === 4 ? bytes.join('.') : Buffer.from(bytes.slice(0, IPV6_BYTES)).toString('hex');
}
