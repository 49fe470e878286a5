import { type ForeignRedirect, redirectFault, SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import type { Condition } from './conditions.ts';
import type { Spot } from './places.ts';
import { askedAt, isAlways, type Rule, type Transport } from './rules.ts';
import { hasOption, optionOf } from './sections.ts';
import { templateOf } from './templates.ts';

const NAMES = new Set(['http-request redirect', 'redirect']);
const STATUS = '302';
const KNOWN_OPTIONS = new Set(['code', 'drop-query', 'ignore-empty']);

/** Where the first rule that is met at a place sends clients. */
export function redirectAt(
  rules: readonly Rule[],
  spot: Spot,
  transport: Transport,
  remarks: Remarks,
): ForeignRedirect | undefined {
  for (const rule of rules) {
    if (!NAMES.has(rule.name)) continue;
    const asked = askedAt(rule, spot, transport);
    if (asked.length === 0) continue;
    const redirect = redirectOf(rule, asked, transport, remarks);
    if (redirect !== undefined) return redirect;
  }
  return undefined;
}

function redirectOf(
  { name, args, at }: Rule,
  asked: Condition,
  transport: Transport,
  remarks: Remarks,
): ForeignRedirect | undefined {
  const [kind, target, ...options] = args;
  const written = templateOf(target?.text ?? '');
  const status = Number(optionOf(options, 'code')?.text ?? STATUS);
  const to = destination(kind?.text, written, hasOption(options, 'drop-query'));
  const fault = to === undefined ? 'its destination cannot be said' : redirectFault(to, status);
  if (to === undefined || fault !== undefined) {
    remarks.lost(name, at, fault ?? '');
    return undefined;
  }
  const odd = options.find(
    ({ text }, index) => !KNOWN_OPTIONS.has(text) && options[index - 1]?.text !== 'code',
  );
  if (odd !== undefined) remarks.lost(name, odd.at, `${odd.text} is not known`);
  const isOverTls = to === SAME_OVER_TLS;
  if (isOverTls && (isWithoutTls(asked) || (isAlways(asked) && transport === 'plain')))
    return { kind: 'https', status, at };
  if (isAlways(asked)) return { kind: 'to', to, status, at };
  remarks.lost(name, at, 'its condition is not one of host and path');
  return undefined;
}

function destination(
  kind: string | undefined,
  written: string | undefined,
  bare: boolean,
): string | undefined {
  if (written === undefined || written === '') return undefined;
  if (kind === 'location') return written;
  const behind = bare ? '{path}' : '{path}{query}';
  if (kind === 'scheme') return `${written}://{host}${behind}`;
  return kind === 'prefix' && written !== '/' ? `${written.replace(/\/$/, '')}${behind}` : undefined;
}

function isWithoutTls(asked: Condition): boolean {
  return asked.length === 1 && asked[0]!.every(({ test, negated }) => test.kind === 'tls' && negated);
}
