import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const TYPES = { 1: 'A', 28: 'AAAA', 33: 'SRV' } as const;
const HEADER_BYTES = 12;
const ANSWER = 0x8400;
const CODES = { ok: 0, failing: 2, unknown: 3 } as const;
/** Points to the name in the question. */
const ASKED_NAME = 0xc00c;

/** What a name server knows of a name. `SRV` as in a zone: priority, weight, port and target. */
export interface TestRecords {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly SRV?: readonly (readonly [priority: number, weight: number, port: number, target: string])[];
}

/** A name server on the loopback that answers over UDP from what a test gives it. */
export class TestDnsServer {
  /** By names in lower case; a name that is not in here does not exist. */
  readonly names = new Map<string, TestRecords>();
  ttlS = 0;
  /** `failing`: every answer is SERVFAIL. `silent`: there are none. */
  state: 'ok' | 'failing' | 'silent' = 'ok';
  /** Questions that came, as `A name`. */
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (question, { port, address }) => {
      const answer = this.#answer(question);
      if (answer !== undefined) socket.send(answer, port, address);
    });
  }

  static async start(): Promise<TestDnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new TestDnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  stop(): void {
    this.#socket.close();
  }

  #answer(question: Buffer): Buffer | undefined {
    const { name, end } = readName(question);
    const type = TYPES[question.readUInt16BE(end) as keyof typeof TYPES] as keyof TestRecords | undefined;
    this.asked.push(`${type ?? '?'} ${name}`);
    if (this.state === 'silent') return undefined;
    const known = this.names.get(name);
    const code = this.state === 'failing' ? 'failing' : known === undefined ? 'unknown' : 'ok';
    const data = code === 'ok' && type !== undefined ? dataOf(type, known ?? {}) : [];
    const header = Buffer.alloc(HEADER_BYTES);
    question.copy(header, 0, 0, 2);
    // Opcode and the wish for recursion come back as they were.
    header.writeUInt16BE(ANSWER | (question.readUInt16BE(2) & 0x7900) | CODES[code], 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(data.length, 6);
    const records = data.map((each) => this.#record(question.subarray(end, end + 4), each));
    return Buffer.concat([header, question.subarray(HEADER_BYTES, end + 4), ...records]);
  }

  /** `kind`: type and class, which are those of the question. */
  #record(kind: Buffer, data: Buffer): Buffer {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(ASKED_NAME, 0);
    kind.copy(head, 2);
    head.writeUInt32BE(this.ttlS, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  }
}

function readName(question: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function dataOf(type: keyof TestRecords, records: TestRecords): Buffer[] {
  if (type === 'SRV') return (records.SRV ?? []).map(serviceData);
  if (type === 'A') return (records.A ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
  return (records.AAAA ?? []).map(ipv6Data);
}

function serviceData([priority, weight, port, target]: readonly [number, number, number, string]): Buffer {
  const numbers = Buffer.alloc(6);
  for (const [index, number] of [priority, weight, port].entries()) numbers.writeUInt16BE(number, index * 2);
  const labels = target
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([numbers, ...labels, Buffer.alloc(1)]);
}

function ipv6Data(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
