/** The network under which the requests of an address are counted. Pure. */
import { parseAddress } from '../../rules/addresses.ts';

/** An IPv6 customer usually has a /64 network and can use any address in it. */
const IPV6_BYTES = 8;

/** The address, or of IPv6 its network. Some proxies write the port behind the address: it changes with each connection. A text
 *  that is not an address is returned unchanged, and so is '', the address of a closed connection. */
export function networkOf(text = ''): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const bytes = parseAddress(address);
  if (bytes === null) return address;
  return bytes.length === 4 ? bytes.join('.') : Buffer.from(bytes.slice(0, IPV6_BYTES)).toString('hex');
}
