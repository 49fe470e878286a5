import { isIPv4 } from 'node:net';

/** A network with what the database says of it; without coordinates it is known, but not where it is. */
export interface CityEntry {
  /** In CIDR notation. */
  readonly network: string;
  readonly latitude?: number;
  readonly longitude?: number;
}

export interface CityDatabaseOptions {
  /** Bits of one record of the tree. */
  readonly recordSize?: 24 | 28 | 32;
  /** 4: IPv4 networks only. */
  readonly ipVersion?: 4 | 6;
  readonly builtS?: number;
}

/** Between tree and data. */
const SEPARATOR = Buffer.alloc(16);
const METADATA_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const TYPE = { string: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const;

/** Either half of a node: nothing, another node, or where the data begins. */
type Branch = undefined | TreeNode | number;

class TreeNode {
  readonly branches: [Branch, Branch] = [undefined, undefined];
}

/** A database of cities in MaxMind's format (version 2.0), with these networks in it. */
export function cityDatabase(entries: readonly CityEntry[], options: CityDatabaseOptions = {}): Buffer {
  const { recordSize = 28, ipVersion = 6, builtS = 1_700_000_000 } = options;
  const root = new TreeNode();
  const data: Buffer[] = [];
  let offset = 0;
  const wide = (entry: CityEntry) => Number(entry.network.split('/')[1]);
  for (const entry of entries.toSorted((a, b) => wide(a) - wide(b))) {
    const record = cityRecord(entry);
    insert(root, bitsOf(entry.network, ipVersion), offset);
    data.push(record);
    offset += record.length;
  }
  const nodes = nodesOf(root);
  const metadata = map({
    binary_format_major_version: number(TYPE.uint16, 2),
    binary_format_minor_version: number(TYPE.uint16, 0),
    build_epoch: number(TYPE.uint64, builtS),
    database_type: string('Usher-Test-City'),
    description: map({ en: string('Cities for tests') }),
    ip_version: number(TYPE.uint16, ipVersion),
    languages: Buffer.concat([control(TYPE.array, 1), string('en')]),
    node_count: number(TYPE.uint32, nodes.length),
    record_size: number(TYPE.uint16, recordSize),
  });
  return Buffer.concat([treeBytes(nodes, recordSize), SEPARATOR, ...data, METADATA_MARK, metadata]);
}

function cityRecord({ network, latitude, longitude }: CityEntry): Buffer {
  const names = map({ en: string(`City of ${network}`) });
  const city = map({ geoname_id: number(TYPE.uint32, 42), names });
  if (latitude === undefined || longitude === undefined) return map({ city });
  const location = map({
    accuracy_radius: number(TYPE.uint16, 20),
    latitude: double(latitude),
    longitude: double(longitude),
    time_zone: string('Etc/UTC'),
  });
  return map({ city, location });
}

/** The bits of a network's prefix as characters. IPv4 lies at the beginning of the tree of IPv6. */
function bitsOf(network: string, ipVersion: 4 | 6): string {
  const [address = '', length] = network.split('/');
  if (!isIPv4(address))
    return groupsOf(address)
      .map((group) => binary(group, 16))
      .join('')
      .slice(0, Number(length));
  const octets = address.split('.').map((octet) => binary(Number(octet), 8));
  return (ipVersion === 6 ? '0'.repeat(96) : '') + octets.join('').slice(0, Number(length));
}

function groupsOf(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const [before, behind] = [groupsIn(head), groupsIn(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - behind.length }, () => 0), ...behind];
}

function groupsIn(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function binary(value: number, digits: number): string {
  return value.toString(2).padStart(digits, '0');
}

/** Puts data at a prefix; wider networks must have been put there before. */
function insert(root: TreeNode, bits: string, data: number): void {
  let node = root;
  for (const [depth, bit] of Array.from(bits).entries()) {
    const side = bit === '1' ? 1 : 0;
    if (depth === bits.length - 1) {
      node.branches[side] = data;
      return;
    }
    const branch = node.branches[side];
    if (branch instanceof TreeNode) {
      node = branch;
      continue;
    }
    const next = new TreeNode();
    // What a wider network says goes on to hold for the rest of it.
    next.branches[0] = branch;
    next.branches[1] = branch;
    node.branches[side] = next;
    node = next;
  }
}

function nodesOf(root: TreeNode): TreeNode[] {
  const nodes = [root];
  for (const node of nodes) nodes.push(...node.branches.filter((branch) => branch instanceof TreeNode));
  return nodes;
}

function treeBytes(nodes: readonly TreeNode[], recordSize: 24 | 28 | 32): Buffer {
  const places = new Map(nodes.map((node, index) => [node, index]));
  const valueOf = (branch: Branch): number => {
    if (branch === undefined) return nodes.length;
    return branch instanceof TreeNode ? places.get(branch)! : nodes.length + SEPARATOR.length + branch;
  };
  return Buffer.concat(
    nodes.map(({ branches }) => nodeBytes(valueOf(branches[0]), valueOf(branches[1]), recordSize)),
  );
}

function nodeBytes(left: number, right: number, recordSize: 24 | 28 | 32): Buffer {
  const node = Buffer.alloc(recordSize / 4);
  if (recordSize === 32) {
    node.writeUInt32BE(left, 0);
    node.writeUInt32BE(right, 4);
    return node;
  }
  node.writeUIntBE(left & 0xffffff, 0, 3);
  node.writeUIntBE(right & 0xffffff, recordSize === 24 ? 3 : 4, 3);
  // The highest four bits of both share the byte in the middle.
  if (recordSize === 28) node[3] = ((left >>> 24) << 4) | (right >>> 24);
  return node;
}

function control(type: number, size: number): Buffer {
  const extended = type > 7;
  const first = extended ? 0 : type << 5;
  const rest = extended ? [type - 7] : [];
  if (size < 29) return Buffer.from([first | size, ...rest]);
  if (size < 285) return Buffer.from([first | 29, ...rest, size - 29]);
  throw new RangeError('longer than tests need');
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([control(TYPE.string, bytes.length), bytes]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([control(TYPE.double, 8), bytes]);
}

/** In as few bytes as it needs. */
function number(type: number, value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.concat([control(type, bytes.length), Buffer.from(bytes)]);
}

function map(values: Readonly<Record<string, Buffer>>): Buffer {
  const pairs = Object.entries(values).flatMap(([key, value]) => [string(key), value]);
  return Buffer.concat([control(TYPE.map, pairs.length / 2), ...pairs]);
}
