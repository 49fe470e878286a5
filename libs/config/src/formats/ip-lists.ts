import ipaddr from 'ipaddr.js';
import type { Input } from '../input/input.ts';
import { parseNetwork } from '../types/network.ts';
import { Refusal } from '../types/type.ts';
import { values } from './draft.ts';
import type { Given } from './foreign-file.ts';
import type { Remarks } from './remarks.ts';

type Kind = 'ipv4' | 'ipv6';
const BITS: Readonly<Record<Kind, number>> = { ipv4: 32, ipv6: 128 };
const EVERYTHING = ['0.0.0.0/0', '::/0'];
/** More pieces than a list that a person wrote can leave. */
const PIECES_MAX = 10_000;

/** A network as its first address in binary digits, as many as its prefix has. */
interface Network {
  readonly kind: Kind;
  readonly prefix: string;
}

/** What is allowed and not denied. Nothing when neither list says anything. */
export function allowedNetworks(
  allow: Given<readonly string[]>,
  deny: Given<readonly string[]>,
  remarks: Remarks,
): Input | undefined {
  if (allow.value.length === 0 && deny.value.length === 0) return undefined;
  const all = EVERYTHING.map(parsed);
  let left = allow.value.length === 0 ? all : networks(allow, remarks);
  for (const denied of networks(deny, remarks)) {
    left = left.flatMap((network) => without(network, denied));
    if (left.length > PIECES_MAX) {
      remarks.fault(deny.path, deny.at, 'too many networks');
      return undefined;
    }
  }
  const place = allow.written ? allow.at : deny.at;
  if (left.length > 0) return values(left.map(written), place);
  remarks.fault(deny.path, deny.at, 'nobody is left who is allowed');
  return undefined;
}

/** A list of addresses and networks; nothing when it is empty. */
export function listedNetworks(given: Given<readonly string[]>, remarks: Remarks): Input | undefined {
  const listed = networks(given, remarks).map(written);
  return given.value.length === 0 ? undefined : values(listed, given.at);
}

/** An address alone is the network of just that. */
export function networkOf(text: string): string | Refusal {
  if (text.includes('/') || !ipaddr.isValid(text)) return parseNetwork(text);
  return parseNetwork(`${text}/${BITS[ipaddr.parse(text).kind()]}`);
}

/** A wrong address is a fault: leaving it out would let in, or lock out, whom nobody meant. */
function networks({ value, at, path }: Given<readonly string[]>, remarks: Remarks): Network[] {
  return value.flatMap((text) => {
    const network = networkOf(text);
    if (!(network instanceof Refusal)) return [parsed(network)];
    remarks.fault(path, at, network.message, network.suggestion);
    return [];
  });
}

function parsed(network: string): Network {
  const [address, length] = ipaddr.parseCIDR(network);
  const bits = address.toByteArray().map((byte) => byte.toString(2).padStart(8, '0'));
  return { kind: address.kind(), prefix: bits.join('').slice(0, length) };
}

function without(network: Network, denied: Network): Network[] {
  if (network.kind !== denied.kind) return [network];
  if (network.prefix.startsWith(denied.prefix)) return [];
  if (!denied.prefix.startsWith(network.prefix)) return [network];
  // What is left are the other halves on the way from the larger network down to the smaller one.
  const { kind } = network;
  const left: Network[] = [];
  for (let length = network.prefix.length; length < denied.prefix.length; length++) {
    const other = denied.prefix[length] === '0' ? '1' : '0';
    left.push({ kind, prefix: denied.prefix.slice(0, length) + other });
  }
  return left;
}

function written({ kind, prefix }: Network): string {
  const bits = prefix.padEnd(BITS[kind], '0');
  const bytes = Array.from({ length: bits.length / 8 }, (_, index) =>
    Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2),
  );
  return `${ipaddr.fromByteArray(bytes).toString()}/${prefix.length}`;
}
