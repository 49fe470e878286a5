import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from './parse.ts';

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** A version 1 line; UNKNOWN when the two addresses are not of one family. */
export function proxyHeaderV1(source: Endpoint, destination: Endpoint): Buffer {
  const four = isIPv4(source.address) && isIPv4(destination.address);
  const six = isIPv6(source.address) && isIPv6(destination.address);
  if (!four && !six) return Buffer.from('PROXY UNKNOWN\r\n');
  const family = four ? 'TCP4' : 'TCP6';
  const line = `PROXY ${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`;
  return Buffer.from(line, 'latin1');
}

/** A version 2 header without further data; AF_UNSPEC when the two addresses are not of one family. */
export function proxyHeaderV2(source: Endpoint, destination: Endpoint): Buffer {
  const from = addressBytes(source.address);
  const to = addressBytes(destination.address);
  if (from.length === 0 || from.length !== to.length) return Buffer.from([...SIGNATURE, 0x21, 0x00, 0, 0]);
  const header = Buffer.alloc(16 + from.length * 2 + 4);
  header.set(SIGNATURE);
  header.writeUInt8(0x21, 12);
  header.writeUInt8(from.length === 4 ? 0x11 : 0x21, 13);
  header.writeUInt16BE(from.length * 2 + 4, 14);
  header.set(from, 16);
  header.set(to, 16 + from.length);
  header.writeUInt16BE(source.port, 16 + from.length * 2);
  header.writeUInt16BE(destination.port, 18 + from.length * 2);
  return header;
}

/** The address in network order; empty for what is no address. */
function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address)) return new Uint8Array();
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const front = groupBytes(head);
  if (tail === undefined) return Uint8Array.from(front);
  const back = groupBytes(tail);
  return Uint8Array.from([...front, ...Array<number>(16 - front.length - back.length).fill(0), ...back]);
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
