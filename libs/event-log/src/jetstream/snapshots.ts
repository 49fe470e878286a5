import { createHash } from 'node:crypto';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { Position, Snapshot } from '@usher/ports';
import type { Link, Session } from './link.ts';
import { SNAPSHOTS_PREFIX, SNAPSHOTS_STREAM } from './streams.ts';

/** Older ones only make a look back to an old position faster. */
const SNAPSHOTS_KEPT = 8;
const CHUNK_BYTES_MAX = 512 * 1024;
const HEADERS_BYTES_MAX = 1024;

/**
 * A state is larger than a message may be, so it is split into chunks, and a manifest that names them all follows:
 * without it the chunks are nothing.
 */
interface Manifest {
  readonly position: Position;
  readonly format: number;
  readonly sha256: string;
  /** Places of the chunks in the stream, in order. */
  readonly chunks: readonly number[];
}

const chunkSubject = (position: Position): string => `${SNAPSHOTS_PREFIX}.${position}.chunk`;
const manifestSubject = (position: Position): string => `${SNAPSHOTS_PREFIX}.${position}.manifest`;

export async function saveSnapshot(link: Link, snapshot: Snapshot): Promise<void> {
  const { client, manager, payloadBytesMax } = link.session();
  const { position, format } = snapshot;
  const state = Buffer.from(snapshot.state);
  const chunkBytes = Math.min(CHUNK_BYTES_MAX, payloadBytesMax - HEADERS_BYTES_MAX);
  const chunks: number[] = [];
  for (let start = 0; start < state.length; start += chunkBytes) {
    const chunk = state.subarray(start, start + chunkBytes);
    chunks.push((await link.guard(client.publish(chunkSubject(position), chunk))).seq);
  }
  const manifest: Manifest = { position, format, sha256: sha256(state), chunks };
  await link.guard(client.publish(manifestSubject(position), JSON.stringify(manifest)));
  const positions = await savedPositions(link, manager);
  // Those of later positions are of a log that has lost records since, and must not push out the ones that count.
  const older = positions.filter((other) => other <= position);
  for (const old of older.slice(0, -SNAPSHOTS_KEPT)) {
    const filter = `${SNAPSHOTS_PREFIX}.${old}.>`;
    await link.guard(manager.streams.purge(SNAPSHOTS_STREAM, { filter }));
  }
}

/** The newest whole snapshot at or before `until`. */
export async function loadSnapshot(
  link: Link,
  session: Session,
  until: Position,
): Promise<Snapshot | undefined> {
  const positions = await savedPositions(link, session.manager);
  for (const position of positions.toReversed()) {
    if (position > until) continue;
    const snapshot = await readSnapshot(link, session.manager, position);
    if (snapshot !== undefined) return snapshot;
  }
  return undefined;
}

/** Positions of the manifests, ascending. */
async function savedPositions(link: Link, manager: JetStreamManager): Promise<Position[]> {
  const filter = { subjects_filter: `${SNAPSHOTS_PREFIX}.*.manifest` };
  const { state } = await link.guard(manager.streams.info(SNAPSHOTS_STREAM, filter));
  const positions = Object.keys(state.subjects ?? {}).map((subject) => Number(subject.split('.')[2]));
  return positions.toSorted((a, b) => a - b);
}

/** Undefined when a part is missing: it was purged meanwhile, or is not what was saved. */
async function readSnapshot(
  link: Link,
  manager: JetStreamManager,
  position: Position,
): Promise<Snapshot | undefined> {
  const stored = await link.guard(
    manager.streams.getMessage(SNAPSHOTS_STREAM, { last_by_subj: manifestSubject(position) }),
  );
  if (stored === null) return undefined;
  const manifest = parseManifest(stored.string());
  if (manifest === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for (const seq of manifest.chunks) {
    const chunk = await link.guard(manager.streams.getMessage(SNAPSHOTS_STREAM, { seq }));
    if (chunk === null) return undefined;
    chunks.push(chunk.data);
  }
  const state = Buffer.concat(chunks);
  if (sha256(state) !== manifest.sha256) return undefined;
  return { position, format: manifest.format, state: state.toString() };
}

function parseManifest(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Manifest;
    return Array.isArray(manifest.chunks) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
