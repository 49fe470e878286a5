import type { Answered, Asked, Broken, ResponseCase } from '../verdicts.ts';
import { allSettled, type CorpusGateway } from './corpus-gateway.ts';
import type { PeerSocket } from './peer-socket.ts';
import { RecordingBackend } from './recording-backend.ts';
import { valuesOf, type WireMessage } from './wire-reader.ts';

/** One case asked for on a connection of its own, answered in one piece or split in two. */
export interface ResponseRun {
  readonly theme: string;
  readonly row: ResponseCase;
  /** Where the second write begins; undefined = one write. */
  readonly splitAt?: number;
}

/** A run in progress, with the backend's connection that the request came on. */
class LiveRun implements ResponseRun {
  readonly theme: string;
  readonly row: ResponseCase;
  readonly splitAt?: number;
  readonly peer: PeerSocket;
  backend: PeerSocket | undefined;
  private answered = false;

  constructor(run: ResponseRun, peer: PeerSocket) {
    this.theme = run.theme;
    this.row = run.row;
    if (run.splitAt !== undefined) this.splitAt = run.splitAt;
    this.peer = peer;
    peer.reader.bodiless = run.row.asked.startsWith('HEAD');
  }

  /** A request for this run came; one that was answered already is tried again and gets the same at once. */
  take(backend: PeerSocket): void {
    this.backend = backend;
    if (!this.answered) return;
    this.backend.send(this.row.raw);
    this.close();
  }

  begin(): void {
    this.answered = true;
    if (this.splitAt !== undefined) this.backend?.send(this.row.raw.slice(0, this.splitAt));
  }

  finish(): void {
    if (this.backend?.ended === 'no') this.backend.send(this.row.raw.slice(this.splitAt ?? 0));
    this.close();
  }

  get label(): string {
    const at = this.splitAt === undefined ? '' : `, split at ${this.splitAt}`;
    return `${this.theme}, ${this.row.name}${at}`;
  }

  /** The responses behind the informational ones. */
  get final(): readonly WireMessage[] {
    return this.peer.reader.messages.filter(({ line }) => !line.startsWith('HTTP/1.1 1'));
  }

  get isOver(): boolean {
    return this.peer.ended !== 'no' || (this.final.length > 0 && this.expectedClient === 'kept');
  }

  /** What becomes of the client's connection; a broken response leaves it only where it became a 502. */
  get expectedClient(): 'kept' | 'closed' {
    const { outcome, asked } = this.row;
    if (outcome.kind === 'answered') return outcome.client;
    return this.final.length > 0 && asked !== 'GET in 1.0' ? 'kept' : 'closed';
  }

  private close(): void {
    if (this.row.behind === 'closes') this.backend?.socket.end();
  }
}

const CASE_PATH = /^\w+ \/case\/(?<at>\d+) /;

/** The backend of a response corpus: it answers the requests of runs when they say so, and all others with their target. */
export class CaseBackend extends RecordingBackend {
  runs: readonly LiveRun[] = [];

  constructor() {
    super((request, connection) => {
      const at = CASE_PATH.exec(request.line)?.groups?.['at'];
      const [, target = ''] = request.line.split(' ');
      if (at !== undefined) this.runs[Number(at)]?.take(connection);
      else connection.send(`HTTP/1.1 200 OK\r\ncontent-length: ${target.length}\r\n\r\n${target}`);
    });
  }
}

/** Everything that was seen of a batch and that its verdicts do not allow; empty when all of them hold. */
export async function runResponses(
  gateway: CorpusGateway,
  backend: CaseBackend,
  runs: readonly ResponseRun[],
): Promise<string[]> {
  const live = runs.map((run) => new LiveRun(run, gateway.connect()));
  backend.runs = live;
  for (const [at, { peer, row }] of live.entries()) peer.send(requestFor(row.asked, at));
  // Each takes a connection of its own before the first is answered and could be used again.
  while (live.some((run) => run.backend === undefined && run.peer.ended === 'no')) await gateway.barrier();
  for (const run of live) run.begin();
  await gateway.barrier();
  for (const run of live) run.finish();
  await allSettled(
    live,
    ({ peer }) => peer,
    (run) => run.isOver,
  );
  await gateway.barrier();
  const violations = live.flatMap((run) => violationsOf(run).map((each) => `${run.label}: ${each}`));
  violations.push(...(await nextRequests(gateway, live)));
  for (const { peer } of live) peer.drop();
  await gateway.barrier();
  return [...violations, ...backend.takeRecords().faults.map((fault) => `the backend got ${fault}`)];
}

function requestFor(asked: Asked, at: number): string {
  const line = `/case/${at} HTTP/1.`;
  switch (asked) {
    case 'GET':
      return `GET ${line}1\r\nHost: a\r\n\r\n`;
    case 'HEAD':
      return `HEAD ${line}1\r\nHost: a\r\n\r\n`;
    case 'POST':
      return `POST ${line}1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`;
    case 'GET in 1.0':
      return `GET ${line}0\r\nHost: a\r\n\r\n`;
    case 'HEAD in 1.0':
      return `HEAD ${line}0\r\nHost: a\r\n\r\n`;
    case 'GET in 1.0 with keep-alive':
      return `GET ${line}0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n`;
  }
}

/** Every client connection that was kept serves one more request, and gets the answer to that one. */
async function nextRequests(gateway: CorpusGateway, live: readonly LiveRun[]): Promise<string[]> {
  const kept = live.filter(({ peer, expectedClient }) => expectedClient === 'kept' && peer.ended === 'no');
  for (const [at, { peer }] of kept.entries()) {
    peer.reader.bodiless = false;
    peer.send(`GET /next/${at} HTTP/1.1\r\nHost: next\r\n\r\n`);
  }
  await allSettled(
    kept,
    ({ peer }) => peer,
    ({ peer, final }) => peer.ended !== 'no' || final.length > 1,
  );
  await gateway.barrier();
  return kept.flatMap(({ final, label }, at) =>
    final[1]?.body.payload === `/next/${at}` && final.length === 2
      ? []
      : [`${label}: the next request got ${JSON.stringify(final.slice(1))}`],
  );
}

function violationsOf(run: LiveRun): string[] {
  const { peer, row, backend, expectedClient } = run;
  const violations = peer.reader.fault === undefined ? [] : [peer.reader.fault];
  violations.push(
    ...(row.outcome.kind === 'answered'
      ? answeredViolations(run, row.outcome)
      : brokenViolations(run, row.outcome)),
  );
  if ((peer.ended === 'no') !== (expectedClient === 'kept'))
    violations.push(`end of the client’s connection: ${peer.ended}, not ${expectedClient}`);
  const expectedBackend = row.outcome.kind === 'answered' ? row.outcome.backend : 'closed';
  if (row.behind === 'stays' && (backend?.ended === 'no') !== (expectedBackend === 'kept'))
    violations.push(`end of the backend’s connection: ${backend?.ended}, not ${expectedBackend}`);
  return violations;
}

function answeredViolations({ peer, final }: LiveRun, wanted: Answered): string[] {
  const [answer, ...surplus] = final;
  if (answer === undefined)
    return [`no whole answer: ${JSON.stringify(peer.reader.beginning)}, ${peer.ended}`];
  const violations: string[] = [];
  if (surplus.length > 0) violations.push(`${surplus.length} answers too many`);
  if (!answer.line.startsWith(`HTTP/1.1 ${wanted.status} `)) violations.push(`status: ${answer.line}`);
  if (wanted.line !== undefined && answer.line !== wanted.line) violations.push(`line: ${answer.line}`);
  violations.push(...(wanted.status === 502 ? problemViolations(answer) : bodyViolations(answer, wanted)));
  const statuses = peer.reader.messages.slice(0, -1).map(({ line }) => Number(line.split(' ')[1]));
  if (statuses.join(' ') !== wanted.informational.join(' '))
    violations.push(`before it: ${statuses.join(' ')}`);
  const lines = answer.fields.map(([name, value]) => `${name}: ${value}`);
  for (const line of wanted.sees) {
    if (!lines.includes(line)) violations.push(`no ${JSON.stringify(line)} in ${JSON.stringify(lines)}`);
  }
  for (const name of wanted.hides) {
    if (valuesOf(answer.fields, name).length > 0) violations.push(`the client sees ${name}`);
  }
  if (valuesOf(answer.fields, 'x-request-id').length !== 1) violations.push('not one request id');
  const closes = valuesOf(answer.fields, 'connection').includes('close');
  if (closes !== (wanted.client === 'closed')) violations.push('does not say what becomes of the connection');
  if (wanted.client === 'closed' && peer.ended !== 'orderly') violations.push(`ended: ${peer.ended}`);
  return violations;
}

function bodyViolations({ body }: WireMessage, wanted: Answered): string[] {
  const { framing, payload, wire } = wanted.body;
  const same = body.framing === framing && body.payload === payload && (wire ?? body.wire) === body.wire;
  return same ? [] : [`body: ${JSON.stringify(body)} for ${JSON.stringify(wanted.body)}`];
}

function problemViolations({ fields }: WireMessage): string[] {
  const isProblem = valuesOf(fields, 'content-type')[0] === 'application/problem+json';
  return isProblem ? [] : [`no problem document: ${JSON.stringify(fields)}`];
}

function brokenViolations({ peer, final }: LiveRun, wanted: Broken): string[] {
  const { beginning } = peer.reader;
  const [answer] = final;
  if (answer !== undefined) {
    return answer.line.startsWith('HTTP/1.1 502 ')
      ? problemViolations(answer)
      : [`looks whole: ${JSON.stringify(answer)}`];
  }
  // A reset may take away everything that was on its way.
  if (beginning === undefined) return peer.ended === 'reset' ? [] : ['nothing, and an orderly end'];
  const status = `HTTP/1.1 ${wanted.status} `;
  return beginning.raw.startsWith(status.slice(0, beginning.raw.length)) ? [] : [`begins ${beginning.raw}`];
}
