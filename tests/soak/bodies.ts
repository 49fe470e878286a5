import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Taken } from './backend/bodies.ts';
import type { Lane } from './lanes.ts';
import type { SoakOptions } from './main.ts';
import { pattern } from './pattern.ts';
import { drink, pour } from './pour.ts';
import { MemoryPeak, MIB, residentBytes } from './process-figures.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';

const BODY_BYTES = 1024 * MIB;
/** Enough of the same beforehand to fill the buffers and caches that any transfer fills. */
const WARM_UP_BYTES = 64 * MIB;
const WARM_UP_ROUNDS = 3;
/** An end that is slow takes far less than the other end could send, so nearly the whole body would have to wait somewhere. */
const SLOW_BYTES_PER_S = 96 * MIB;
const GROWTH_MIB_MAX = 32;

type Framing = 'length' | 'chunked';

interface Transfer {
  readonly up: boolean;
  readonly framing: Framing;
  /** What the receiving end takes, Infinity for all it can. */
  readonly bytesPerS: number;
}

const TRANSFERS: readonly Transfer[] = [Infinity, SLOW_BYTES_PER_S].flatMap((bytesPerS) =>
  [true, false].flatMap((up) =>
    (['length', 'chunked'] as const).map((framing) => ({ up, framing, bytesPerS })),
  ),
);

/** Large bodies in constant memory, byte for byte. */
export async function soak(report: Report, { lanes }: SoakOptions): Promise<void> {
  const sha256 = expectedHash();
  for (const lane of lanes) {
    const gateway = await SoakGateway.start({ policy: 'limits: { request_body: 0B }' });
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      for (const transfer of TRANSFERS) await send(gateway, lane, transfer, WARM_UP_BYTES);
    }
    const baseBytes = residentBytes(gateway.pid);
    report.add(`${lane}: RSS before`, baseBytes / MIB, 'MiB');
    for (const transfer of TRANSFERS) {
      const peak = new MemoryPeak(gateway.pid);
      const startMs = performance.now();
      const { bytes, sha256: seen, framing } = await send(gateway, lane, transfer, BODY_BYTES);
      const mibPerS = BODY_BYTES / MIB / ((performance.now() - startMs) / 1000);
      const name = `${lane}: 1 GiB ${nameOf(transfer)}`;
      const identical = bytes === BODY_BYTES && seen === sha256 && framing === transfer.framing;
      report.add(`${name}, identical`, identical ? 1 : 0, '', { min: 1, max: 1 });
      report.add(`${name}, rate`, mibPerS, 'MiB/s');
      report.add(`${name}, RSS growth at most`, (peak.stop() - baseBytes) / MIB, 'MiB', {
        max: GROWTH_MIB_MAX,
      });
    }
    const handedOver = await gateway.handedOver();
    report.add(`${lane}: connections in the plugin lane`, handedOver, '', expectedIn(lane));
    await gateway.stop();
  }
}

function nameOf({ up, framing, bytesPerS }: Transfer): string {
  const slow = bytesPerS === Infinity ? '' : up ? ', slow backend' : ', slow client';
  return `${up ? 'up' : 'down'}, ${framing}${slow}`;
}

function expectedIn(lane: Lane): { readonly min?: number; readonly max?: number } {
  return lane === 'plugin' ? { min: 1 } : { max: 0 };
}

function expectedHash(): string {
  const hash = createHash('sha256');
  for (const piece of pattern(BODY_BYTES)) hash.update(piece);
  return hash.digest('hex');
}

/** Sends a body one way and tells what arrived at the other end. */
async function send(
  { port }: SoakGateway,
  lane: Lane,
  { up, framing, bytesPerS }: Transfer,
  bytes: number,
): Promise<Taken> {
  const url = `http://127.0.0.1:${port}/${lane}`;
  if (up) {
    const rate = bytesPerS === Infinity ? '' : `?rate=${bytesPerS}`;
    const length = framing === 'length' ? { 'content-length': bytes } : {};
    const sent = request(`${url}/take${rate}`, { method: 'POST', agent: false, headers: length });
    const answered = answerTo(sent);
    await pour(pattern(bytes), sent);
    return JSON.parse(await text(await answered)) as Taken;
  }
  const sent = request(`${url}/send?bytes=${bytes}&framing=${framing}`, { agent: false });
  sent.end();
  const response = await answerTo(sent);
  return {
    ...(await drink(response, bytesPerS)),
    framing: response.headers['transfer-encoding'] ?? 'length',
  };
}

async function answerTo(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`answered with ${response.statusCode}`);
  return response;
}
