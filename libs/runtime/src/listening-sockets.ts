import { lookup } from 'node:dns/promises';
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SocketAddress } from 'node:net';

/** A TCP socket of this process that listens. */
export interface ListeningSocket {
  readonly fd: number;
  /** An IP address in its shortest form. */
  readonly host: string;
  readonly port: number;
}

const FDS = '/proc/self/fd';
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Columns of these tables, and the state of a socket that listens, as the kernel counts them. */
const LOCAL_ADDRESS = 1;
const STATE = 3;
const INODE = 9;
const LISTENS = '0A';

/** Every TCP socket on which this process listens, in the order of their descriptors. Reads what only Linux has. */
export function listeningSockets(): ListeningSocket[] {
  const addresses = new Map<string, Omit<ListeningSocket, 'fd'>>();
  for (const table of TABLES) {
    const [, ...rows] = readIfThere(table).split('\n');
    for (const row of rows) {
      const cells = row.trim().split(/\s+/);
      if (cells[STATE] === LISTENS)
        addresses.set(`socket:[${cells[INODE]}]`, addressOf(cells[LOCAL_ADDRESS] ?? ''));
    }
  }
  const found: ListeningSocket[] = [];
  for (const name of readdirSync(FDS)) {
    const address = addresses.get(linkOf(`${FDS}/${name}`));
    if (address !== undefined) found.push({ fd: Number(name), ...address });
  }
  return found.toSorted((one, other) => one.fd - other.fd);
}

/** Sockets that another process left to this one: each goes to whoever is to listen there, and the others are closed. */
export class InheritedSockets {
  #left: readonly ListeningSocket[];

  constructor(sockets: readonly ListeningSocket[]) {
    this.#left = sockets;
  }

  /** The descriptors of those that listen there, for the caller to close; `host` may be a name. */
  async take({ host, port }: { readonly host: string; readonly port: number }): Promise<readonly number[]> {
    if (!this.#left.some((socket) => socket.port === port)) return [];
    const { address, family } = await lookup(host);
    const wanted = shortest(address, family === 6 ? 'ipv6' : 'ipv4');
    const isThere = (socket: ListeningSocket): boolean => socket.port === port && socket.host === wanted;
    const taken = this.#left.filter(isThere);
    this.#left = this.#left.filter((socket) => !isThere(socket));
    return taken.map(({ fd }) => fd);
  }

  /** Closes what nobody took. */
  close(): void {
    for (const { fd } of this.#left) closeSync(fd);
    this.#left = [];
  }
}

/** IPv6 may be off. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** A descriptor may be closed while we look. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** From the kernel's `0100007F:1F90`: the address as words of 32 bits, the first byte last in each as this machine has it. */
function addressOf(cell: string): Omit<ListeningSocket, 'fd'> {
  const [words = '', port = ''] = cell.split(':');
  const bytes = words.match(/.{8}/g)?.flatMap((word) => word.match(/../g)?.toReversed() ?? []) ?? [];
  const isV4 = bytes.length === 4;
  const text = isV4
    ? bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
    : bytes.map((byte, place) => (place % 2 === 1 && place < 15 ? `${byte}:` : byte)).join('');
  return { host: shortest(text, isV4 ? 'ipv4' : 'ipv6'), port: Number.parseInt(port, 16) };
}

function shortest(address: string, family: 'ipv4' | 'ipv6'): string {
  return new SocketAddress({ address, family }).address;
}
