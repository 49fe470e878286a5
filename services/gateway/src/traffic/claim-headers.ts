import type { PolicySettings } from '@usher/domain';
import type { Fields } from './header-edits.ts';
import { tokenSettingsOf } from './token-settings.ts';

const VALUE_LENGTH_MAX = 4096;
/** What any backend reads as it was written. Blanks around it would be lost. */
const VISIBLE = /^[!-~](?:[ -~]*[!-~])?$/;
const NOT_ASCII = /[^ -~]/g;

/** Headers that some route fills with what tokens say, so that nobody else may at any route. Names are in lower case. */
export function claimHeadersOf(policy: Pick<PolicySettings, 'traffic' | 'routes'>): readonly string[] {
  const names = tokenSettingsOf(policy).flatMap(({ claimHeaders = {} }) => Object.keys(claimHeaders));
  return [...new Set(names)];
}

/** The headers that a good token fills. A claim that it does not have, or that no header can hold, leaves its header out. */
export function claimFields(
  headers: Readonly<Record<string, string>>,
  claims: ReadonlyMap<string, unknown>,
): Fields {
  return Object.entries(headers).flatMap(([name, claim]) => {
    const value = textOf(claims.get(claim));
    return value === undefined || value.length > VALUE_LENGTH_MAX || !VISIBLE.test(value)
      ? []
      : [name, value];
  });
}

function textOf(claim: unknown): string | undefined {
  if (typeof claim === 'string') return claim;
  if (typeof claim === 'boolean') return String(claim);
  // A number that was longer than numbers are here has become another one: better none than that of somebody else.
  if (typeof claim === 'number')
    return Number.isInteger(claim) && !Number.isSafeInteger(claim) ? undefined : String(claim);
  if (typeof claim !== 'object' || claim === null) return undefined;
  return JSON.stringify(claim).replace(NOT_ASCII, escaped);
}

/** As JSON may write any character (RFC 8259 section 7). */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
