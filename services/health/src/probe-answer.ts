import type { Readable } from 'node:stream';

/** More of a health page than this is not read. */
const BODY_BYTES_MAX = 64 * 1024;

/** Takes what came of a probe; may be called more than once, and the first time counts. */
export type Settle = (outcome: 'ok' | { readonly cause: string }) => void;

/** What an `http` probe wants of an answer. */
export interface ExpectedAnswer {
  readonly expectStatus: readonly number[];
  /** Text that the body has to contain; absent = any body will do. */
  readonly expectBody?: string;
}

/**
 * Settles for an answer that arrived as a whole, or as much of it as is read, with a status and a body that are expected. That
 * it was cut off is for the caller to see.
 */
export function judgeAnswer(status: number, body: Readable, expected: ExpectedAnswer, settle: Settle): void {
  const { expectStatus, expectBody } = expected;
  if (!expectStatus.includes(status)) {
    settle({ cause: `status ${status}, expected ${rangesOf(expectStatus)}` });
    return;
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  const judge = (): void => {
    const found = expectBody === undefined || Buffer.concat(parts).includes(expectBody);
    settle(found ? 'ok' : { cause: `the body has no ${JSON.stringify(expectBody)}` });
  };
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (expectBody !== undefined) parts.push(chunk);
    if (bytes > BODY_BYTES_MAX) judge();
  });
  body.on('end', judge);
}

/** `200 or 204`, `200 to 299`: neighbours as a range. */
function rangesOf(statuses: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const status of statuses) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === status - 1) range[1] = status;
    else ranges.push([status, status]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first} to ${last}`)).join(' or ');
}
