import type { StickyCookieSettings } from '@usher/domain';

const EQUALS = 61;
const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;

const SAME_SITE: Readonly<Record<StickyCookieSettings['sameSite'], string>> = {
  lax: 'Lax',
  strict: 'Strict',
  none: 'None',
};

/** Where a cookie is in the value of a Cookie header. */
export interface CookiePlace {
  /** Of the pair, and of what is before the next one. */
  start: number;
  end: number;
  valueStart: number;
  valueEnd: number;
}

/** Finds the first cookie of a name in `text[start..end)`, into `place`; false when there is none. */
export function findCookie(
  text: string,
  start: number,
  end: number,
  name: string,
  place: CookiePlace,
): boolean {
  const { length } = name;
  for (let at = start; at < end; ) {
    while (at < end && isBlank(text.charCodeAt(at))) at += 1;
    const semicolon = text.indexOf(';', at);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    const equals = at + length;
    if (equals < stop && text.charCodeAt(equals) === EQUALS && text.slice(at, equals) === name) {
      let valueEnd = stop;
      while (isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
      let next = Math.min(stop + 1, end);
      while (next < end && isBlank(text.charCodeAt(next))) next += 1;
      place.start = at;
      place.valueStart = equals + 1;
      place.valueEnd = valueEnd;
      place.end = next;
      return true;
    }
    at = stop + 1;
  }
  return false;
}

/** `text[start..end)` without a separator at its end. */
export function withoutSeparator(text: string): string {
  let end = text.length;
  while (end > 0 && (isBlank(text.charCodeAt(end - 1)) || text.charCodeAt(end - 1) === SEMICOLON)) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

/** What follows the value in a Set-Cookie header. Scripts never see the cookie. */
export function cookieAttributes(settings: StickyCookieSettings, overTls: boolean): string {
  const { path, domain, sameSite, secure } = settings;
  let text = `; Path=${path}; HttpOnly; SameSite=${SAME_SITE[sameSite]}`;
  if (domain !== undefined) text += `; Domain=${domain}`;
  if (secure === 'always' || (secure === 'auto' && overTls)) text += '; Secure';
  return text;
}

function isBlank(char: number): boolean {
  return char === SPACE || char === TAB;
}
