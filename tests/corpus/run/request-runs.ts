import { type Forwarded, forwarded, none, type Outcome, type RequestCase } from '../verdicts.ts';
import { allSettled, type CorpusGateway } from './corpus-gateway.ts';
import type { PeerSocket } from './peer-socket.ts';
import { valuesOf, type WireMessage } from './wire-reader.ts';

/** One case on a connection of its own, sent in one piece or split in two. */
export interface RequestRun {
  readonly theme: string;
  readonly row: RequestCase;
  /** Where the second write begins; undefined = one write. */
  readonly splitAt?: number;
}

interface LiveRun extends RequestRun {
  readonly peer: PeerSocket;
  readonly bytes: string;
  /** One per request, the one behind the case included if that has to be served. */
  readonly outcomes: readonly Outcome[];
}

/** Everything that was seen of a batch and that its verdicts do not allow; empty when all of them hold. */
export async function runRequests(gateway: CorpusGateway, runs: readonly RequestRun[]): Promise<string[]> {
  const live = runs.map((run, at) => start(gateway, run, at));
  await gateway.barrier();
  for (const { peer, bytes, splitAt } of live) peer.send(bytes.slice(0, splitAt));
  if (live.some(({ splitAt }) => splitAt !== undefined)) {
    await gateway.barrier();
    for (const { peer, bytes, splitAt } of live) if (splitAt !== undefined) peer.send(bytes.slice(splitAt));
  }
  const unfinished = live.filter(({ outcomes }) => outcomes.at(-1)?.kind === 'unfinished');
  await allSettled(unfinished, ({ peer }) => peer, hasAnswers);
  await gateway.barrier();
  for (const { peer } of unfinished) peer.socket.end();
  await allSettled(live, ({ peer }) => peer, isOver);
  await gateway.barrier();
  const { requests } = gateway.backend;
  const violations = live.flatMap((run) =>
    violationsOf(run, requests).map((violation) => `${labelOf(run)}: ${violation}`),
  );
  for (const { peer } of live) peer.drop();
  await gateway.barrier();
  return [...violations, ...strays(gateway)];
}

function start(gateway: CorpusGateway, run: RequestRun, at: number): LiveRun {
  const { raw, outcomes } = run.row;
  const last = outcomes.at(-1);
  const path = `/next/${at}`;
  const bytes = last?.kind === 'unfinished' ? raw : `${raw}GET ${path} HTTP/1.1\r\nHost: next\r\n\r\n`;
  const served = last?.kind === 'forwarded' && !last.closes;
  const next: Outcome[] = served ? [forwarded(`GET ${path}`, none, { sees: ['Host: next'] })] : [];
  return { ...run, peer: gateway.connect(), bytes, outcomes: [...outcomes, ...next] };
}

function labelOf({ theme, row, splitAt }: RequestRun): string {
  return `${theme}, ${row.name}${splitAt === undefined ? '' : `, split at ${splitAt}`}`;
}

function hasAnswers({ peer, outcomes }: LiveRun): boolean {
  const wanted = outcomes.filter(({ kind }) => kind !== 'unfinished').length;
  return peer.ended !== 'no' || peer.reader.messages.length >= wanted;
}

function isOver(run: LiveRun): boolean {
  const last = run.outcomes.at(-1);
  const stays = last?.kind === 'forwarded' && !last.closes;
  return run.peer.ended !== 'no' || (stays && hasAnswers(run));
}

function violationsOf({ peer, outcomes }: LiveRun, requests: Map<string, WireMessage>): string[] {
  const { messages, beginning, fault } = peer.reader;
  const violations = fault === undefined ? [] : [fault];
  for (const [at, outcome] of outcomes.entries()) {
    const answer = messages[at];
    const [id = ''] = valuesOf(answer?.fields ?? beginning?.fields ?? [], 'x-request-id');
    if (outcome.kind === 'forwarded') {
      violations.push(...forwardedViolations(outcome, answer, requests.get(id)));
      requests.delete(id);
    } else if (outcome.kind === 'refused') {
      // The body of an answer to HEAD is only announced.
      const { line = 'no answer', fields = [] } = answer ?? beginning ?? {};
      if (!line.startsWith(`HTTP/1.1 ${outcome.status} `)) violations.push(`${line} for ${outcome.status}`);
      if (valuesOf(fields, 'content-type')[0] !== 'application/problem+json')
        violations.push(`no problem document: ${JSON.stringify(fields)}`);
      if (valuesOf(fields, 'connection')[0] !== 'close') violations.push('does not say that it closes');
      if (requests.has(id)) violations.push(`the refused request reached the backend`);
    }
  }
  return [...violations, ...endViolations(peer, outcomes)];
}

function endViolations(peer: PeerSocket, outcomes: readonly Outcome[]): string[] {
  const { messages } = peer.reader;
  const last = outcomes.at(-1);
  const violations: string[] = [];
  const surplus = messages[outcomes.length - (last?.kind === 'unfinished' ? 1 : 0)];
  if (surplus !== undefined) violations.push(`one answer too many: ${surplus.line}`);
  const ended = last?.kind === 'forwarded' && !last.closes ? 'no' : 'orderly';
  const unfinished = last?.kind === 'unfinished';
  if (unfinished ? peer.ended === 'no' : peer.ended !== ended)
    violations.push(`end of the connection: ${peer.ended}, not ${ended}`);
  return violations;
}

function forwardedViolations(
  wanted: Forwarded,
  answer: WireMessage | undefined,
  got: WireMessage | undefined,
): string[] {
  if (answer?.line !== 'HTTP/1.1 200 OK') return [`${answer?.line ?? 'no answer'} for ${wanted.line}`];
  if (got === undefined) return [`the backend did not get ${wanted.line}`];
  const violations: string[] = [];
  if (got.line !== `${wanted.line} HTTP/1.1`) violations.push(`${got.line} for ${wanted.line}`);
  const { framing, payload, wire } = wanted.body;
  const body = wire === undefined ? { framing, payload } : { framing, payload, wire };
  const received = wire === undefined ? { framing: got.body.framing, payload: got.body.payload } : got.body;
  if (JSON.stringify(body) !== JSON.stringify(received))
    violations.push(`body ${JSON.stringify(received)} for ${JSON.stringify(body)}`);
  const lines = got.fields.map(([name, value]) => `${name}: ${value}`);
  for (const line of wanted.sees) {
    const times = lines.filter((each) => each === line).length;
    if (times !== 1) violations.push(`${times} times ${JSON.stringify(line)} in ${JSON.stringify(lines)}`);
  }
  for (const name of wanted.hides) {
    if (valuesOf(got.fields, name).length > 0) violations.push(`the backend sees ${name}`);
  }
  if (valuesOf(got.fields, 'host').length !== 1) violations.push(`not one Host in ${JSON.stringify(lines)}`);
  return violations;
}

/** What reached the backend and belongs to no verdict. */
function strays(gateway: CorpusGateway): string[] {
  const { requests, repeated, faults, beginnings } = gateway.backend.takeRecords();
  const unclaimed = [...requests.values()].map(({ line }) => `a request that nobody was answered: ${line}`);
  const behind = beginnings
    .filter(({ raw }) => raw.includes('/next/'))
    .map(({ raw }) => `bytes behind a refused request reached the backend: ${JSON.stringify(raw)}`);
  const twice = repeated.map((line) => `a request reached the backend twice: ${line}`);
  return [...unclaimed, ...twice, ...behind, ...faults.map((fault) => `the backend got ${fault}`)];
}
