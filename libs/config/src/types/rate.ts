import { measure } from './scalar.ts';
import { refuse, type Type } from './type.ts';

const PER_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** The longest first. */
const UNITS = Object.entries(PER_MS).toSorted((a, b) => b[1] - a[1]);
const WRITTEN = /^([1-9][0-9]{0,8})\/([1-9][0-9]{0,3})?([smh])$/;
const REQUESTS_MAX = 1_000_000;
const PER_MAX_MS = 24 * 3_600_000;

export interface Rate {
  readonly requests: number;
  readonly perMs: number;
}

/** So many in so much time, such as `100/s`. */
export const rate: Type<Rate> = measure({
  expects: 'a rate such as 100/s, 30/m, 1000/h or 5/10s',
  jsonSchema: { pattern: '^[1-9][0-9]{0,8}/([1-9][0-9]{0,3})?[smh]$' },
  standIn: { requests: 1, perMs: 1_000 },
  parse(written) {
    const [, requests = '', count = '1', unit = ''] = WRITTEN.exec(written) ?? [];
    if (unit === '') {
      const meant = /^([1-9][0-9]*) *(?:\/|per)? *(s|m|h)?/.exec(written);
      const suggestion = meant === null ? undefined : `${meant[1]}/${meant[2] ?? 's'}`;
      return refuse(`${JSON.stringify(written)} is not a rate such as 100/s, 30/m or 1000/h`, suggestion);
    }
    const found = { requests: Number(requests), perMs: Number(count) * PER_MS[unit]! };
    if (found.perMs > PER_MAX_MS) return refuse(`the rate ${written} is over more than 24h`);
    return found.requests * 1_000 > REQUESTS_MAX * found.perMs
      ? refuse(`the rate ${written} is above ${REQUESTS_MAX}/s`)
      : found;
  },
  write({ requests, perMs }) {
    const [unit, length] = UNITS.find((each) => perMs % each[1] === 0) ?? ['s', 1_000];
    return `${requests}/${perMs / length}${unit}`;
  },
});
