/**
 * The PROXY protocol (HAProxy's specification of 2020-03-05): the first bytes of a connection that say whom the sender
 * speaks for. Version 1 is a line of text, version 2 a binary header.
 */

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Whom a sender speaks for, and where that client connected to. Both are undefined where it speaks for itself (LOCAL, e.g.
 * its health checks) or does not know (UNKNOWN, AF_UNSPEC, unix sockets): the socket's own addresses count then.
 */
export interface ProxyClaim {
  readonly source: Endpoint | undefined;
  readonly destination: Endpoint | undefined;
}

export type ProxyHeader =
  /** The bytes so far may become a header. */
  | { readonly kind: 'incomplete' }
  /** They cannot; the connection must be closed, because nothing tells who it is (section 2). */
  | { readonly kind: 'invalid'; readonly cause: string }
  /** A header of `length` bytes. */
  | ({ readonly kind: 'header'; readonly length: number } & ProxyClaim);

/** Longest version 1 line with its CRLF, section 2.1. */
const LINE_BYTES_MAX = 107;
const PREFIX_V1 = Buffer.from('PROXY ');
const SIGNATURE_V2 = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const HEADER_V2_BYTES = 16;
/** More type-length-value data than this is refused; the specification allows 64 KiB, senders need a few hundred bytes. */
const PAYLOAD_V2_BYTES_MAX = 4096;

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

/** Reads the header at the start of `bytes`, which hold everything that was received so far. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, SIGNATURE_V2)) return parseV2(bytes);
  if (startsLike(bytes, PREFIX_V1)) return parseV1(bytes);
  return invalid('neither a version 1 nor a version 2 header');
}

/** Whether `bytes`, as far as they go, are the beginning of `prefix` or begin with it. */
function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf('\r\n');
  if (end === -1) {
    return bytes.length >= LINE_BYTES_MAX ? invalid('a version 1 line without an end') : INCOMPLETE;
  }
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort, ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', length, source: undefined, destination: undefined };
  if (family !== 'TCP4' && family !== 'TCP6') return invalid('an unknown protocol');
  if (more.length > 0) return invalid('too many fields');
  const from = endpointV1(family, source, sourcePort);
  const to = endpointV1(family, destination, destinationPort);
  if (from === undefined || to === undefined) return invalid('a malformed address or port');
  return { kind: 'header', length, source: from, destination: to };
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const PORT = /^(?:0|[1-9]\d{0,4})$/;

function endpointV1(family: 'TCP4' | 'TCP6', address = '', port = ''): Endpoint | undefined {
  if (!PORT.test(port) || Number(port) > 65_535) return undefined;
  const valid = family === 'TCP4' ? IPV4.test(address) : isIpv6(address);
  return valid ? { address, port: Number(port) } : undefined;
}

/** Groups of RFC 4291 section 2.2, also with a dotted quad at the end; no zone. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  let count = 0;
  for (const [index, list] of groups.entries()) {
    for (const [at, group] of list.entries()) {
      const last = index === groups.length - 1 && at === list.length - 1;
      if (last && group.includes('.')) {
        if (!IPV4.test(group)) return false;
        count += 2;
      } else if (/^[0-9a-f]{1,4}$/i.test(group)) count += 1;
      else return false;
    }
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

function parseV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < HEADER_V2_BYTES) return INCOMPLETE;
  const versionAndCommand = bytes.readUInt8(12);
  if (versionAndCommand >> 4 !== 2) return invalid('not version 2');
  const command = versionAndCommand & 0x0f;
  if (command > 1) return invalid('an unknown command');
  const payload = bytes.readUInt16BE(14);
  if (payload > PAYLOAD_V2_BYTES_MAX) return invalid('a header of more than 4 KiB');
  const length = HEADER_V2_BYTES + payload;
  if (bytes.length < length) return INCOMPLETE;
  const unspecified: ProxyHeader = { kind: 'header', length, source: undefined, destination: undefined };
  if (command === 0) return unspecified;
  const body = bytes.subarray(HEADER_V2_BYTES, length);
  switch (bytes.readUInt8(13)) {
    case 0x11:
      return addressesV2(body, 4, length);
    case 0x21:
      return addressesV2(body, 16, length);
    default:
      return unspecified;
  }
}

function addressesV2(body: Buffer, size: 4 | 16, length: number): ProxyHeader {
  if (body.length < size * 2 + 4) return invalid('a header too short for its addresses');
  const format = size === 4 ? ipv4Text : ipv6Text;
  return {
    kind: 'header',
    length,
    source: { address: format(body.subarray(0, size)), port: body.readUInt16BE(size * 2) },
    destination: { address: format(body.subarray(size, size * 2)), port: body.readUInt16BE(size * 2 + 2) },
  };
}

function ipv4Text(bytes: Buffer): string {
  return bytes.join('.');
}

/** Text of RFC 5952: lower case, no leading zeros, the longest run of zero groups as `::`. */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_unused, index) => bytes.readUInt16BE(index * 2).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === '0') end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  if (best.start === -1) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

function invalid(cause: string): ProxyHeader {
  return { kind: 'invalid', cause };
}
