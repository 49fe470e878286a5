import type { Place } from '../../fault.ts';
import { SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { answerOf } from './answers.ts';
import type { Directive } from './directives.ts';
import { isDenial } from './guards.ts';
import { CONDITIONS, type Target } from './locations.ts';

/** What a server sends to the same URL over TLS. */
export interface ToTls {
  /** In lower case; undefined = all that the server is for. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** What it says about other paths does not count. */
  readonly isWhole: boolean;
  readonly status: number;
  readonly at: Place;
}

const HOST = /^\(\s*\$(?:http_)?host\s*=\s*([\w.-]+)\s*\)$/;
const WITHOUT_TLS = /^\(\s*(?:\$scheme\s*(?:=\s*http|!=\s*https)|\$https\s*(?:=|!=\s*on))\s*\)$/;

/** Said by a target for all paths, or by conditions about the host or the scheme. Other conditions are told. */
export function toTlsOf(
  block: readonly Directive[],
  targets: readonly Target[],
  names: readonly string[],
  remarks: Remarks,
): ToTls | undefined {
  const whole = targets.find(({ path, toTls }) => path === '/*' && toTls !== undefined);
  let sent: ToTls | undefined =
    whole?.toTls === undefined
      ? undefined
      : { hosts: undefined, isWhole: false, status: whole.toTls, at: whole.at };
  for (const directive of block) {
    const { name, args, at, block: inner } = directive;
    if (name !== 'if') continue;
    const condition = args.map(({ text }) => text).join(' ');
    const host = HOST.exec(condition)?.[1]?.toLowerCase();
    const isMet = host !== undefined || WITHOUT_TLS.test(condition);
    const answer = isMet ? answerOf(inner ?? [], host === undefined ? names : [host], remarks) : undefined;
    const status = answer?.kind === 'to' && answer.to === SAME_OVER_TLS ? answer.status : undefined;
    if (status === undefined) {
      remarks.lost(name, at, CONDITIONS);
      if (isDenial(directive)) remarks.open(name, at, 'whom this turned away gets through');
    }
    if (status === undefined) continue;
    if (host === undefined) sent = { hosts: undefined, isWhole: true, status, at };
    else if (sent === undefined || sent.hosts !== undefined)
      sent = { hosts: new Set([...(sent?.hosts ?? []), host]), isWhole: true, status, at };
  }
  return sent;
}
