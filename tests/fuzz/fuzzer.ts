import { type Comparison, compare, splitFinding } from './findings.ts';
import { type Input, inputOf } from './inputs.ts';
import { minimise } from './minimise.ts';
import { NodeRequestReader, NodeResponseReader } from './node-readers.ts';
import { type Kind, OurReader } from './our-reader.ts';
import type { Reading } from './reading.ts';

/** Inputs between two turns of the event loop. */
const BATCH = 500;
/** After so many one has enough to do. */
const FINDINGS_MAX = 10;

/** An input that shows a difference nobody meant, as short as it could be made. */
interface Finding {
  readonly seed: number;
  readonly kind: Kind;
  readonly what: string;
  readonly text: string;
}

export interface Report {
  inputs: number;
  /** How many inputs compared in which way; known differences by their names. */
  readonly outcomes: Map<string, number>;
  readonly findings: Finding[];
}

export interface FuzzOptions {
  readonly inputs: number;
  /** The first input has this seed, each of the others the next one. */
  readonly seed: number;
  readonly onProgress?: (report: Report) => void;
}

/** Reads every input with our parsers and with Node's, and compares. Ends early when there are many findings. */
export async function fuzz({ inputs, seed, onProgress }: FuzzOptions): Promise<Report> {
  const report: Report = { inputs: 0, outcomes: new Map(), findings: [] };
  const judge = new Judge();
  while (report.inputs < inputs && report.findings.length < FINDINGS_MAX) {
    const count = Math.min(BATCH, inputs - report.inputs);
    const batch = Array.from({ length: count }, (_, at) => inputOf((seed + report.inputs + at) >>> 0));
    for (const [at, comparison] of (await judge.compareAll(batch)).entries()) {
      const name = comparison.kind === 'known' ? comparison.name : comparison.kind;
      report.outcomes.set(name, (report.outcomes.get(name) ?? 0) + 1);
      if (comparison.kind !== 'finding' || report.findings.length >= FINDINGS_MAX) continue;
      report.findings.push(await judge.explain(batch[at]!, comparison.what));
    }
    report.inputs += count;
    onProgress?.(report);
  }
  return report;
}

class Judge {
  private readonly requests = new NodeRequestReader();
  private readonly responses = new NodeResponseReader();

  async compareAll(inputs: readonly Input[]): Promise<Comparison[]> {
    const asked = inputs.filter(({ kind }) => kind !== 'requests');
    const answers = await this.responses.readAll(asked.map(responseBytes));
    const byInput = new Map(asked.map((input, at) => [input, answers[at]!]));
    return inputs.map((input) => compareOne(input, byInput.get(input) ?? this.readRequests(input)));
  }

  /** Makes the input shorter as long as it still shows a difference. */
  async explain(input: Input, what: string): Promise<Finding> {
    const find = async (text: string, splitAt: number): Promise<string | undefined> => {
      const [comparison] = await this.compareAll([{ ...input, text, splitAt }]);
      return comparison?.kind === 'finding' ? comparison.what : undefined;
    };
    const smallest = await minimise(input.text, input.splitAt, async (text, splitAt) =>
      isAlike(await find(text, splitAt), what),
    );
    const shown = await find(smallest.text, smallest.splitAt);
    return { seed: input.seed, kind: input.kind, what: shown ?? what, text: smallest.text };
  }

  private readRequests({ text }: Input): Reading {
    return this.requests.read(Buffer.from(text, 'latin1'));
  }
}

/** The kind of a finding is told by its first word; the rest depends on the input. */
function isAlike(found: string | undefined, what: string): boolean {
  return found?.split(' ')[0] === what.split(' ')[0];
}

function responseBytes({ kind, text, ends }: Input) {
  const method = kind === 'response to HEAD' ? ('HEAD' as const) : ('GET' as const);
  return { method, bytes: Buffer.from(text, 'latin1'), ends };
}

function compareOne(input: Input, theirs: Reading): Comparison {
  const bytes = Buffer.from(input.text, 'latin1');
  const ours = readingIn(input, [bytes]);
  const split = readingIn(input, [bytes.subarray(0, input.splitAt), bytes.subarray(input.splitAt)]);
  const changed = splitFinding(ours, split);
  if (changed !== undefined) return { kind: 'finding', what: `split at ${input.splitAt}: ${changed}` };
  return compare(ours, theirs, input.text);
}

function readingIn({ kind, ends }: Input, pieces: readonly Buffer[]): Reading {
  const reader = new OurReader(kind);
  for (const piece of pieces) reader.feed(piece);
  if (ends && kind !== 'requests') reader.end();
  return reader.reading;
}
