import type { CorsSettings } from '@usher/domain';
import { TurnedAway, turnedAway } from '../wire/own-answer.ts';
import type { Fields } from './header-edits.ts';
import type { TrafficRequest } from './traffic-request.ts';

const NO_CONTENT = 204;
const ORIGIN = 'access-control-allow-origin';
const CREDENTIALS = 'access-control-allow-credentials';
const EXPOSED = 'access-control-expose-headers';
const ASKED_METHOD = 'access-control-request-method';
const ASKED_HEADERS = 'access-control-request-headers';
/** Names of headers with commas between, as browsers ask for them. */
const NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z, -]{0,1024}$/;

/** What a gateway says of it, backends need not: two of a kind are none to browsers. */
export const CORS_FIELDS: readonly string[] = [ORIGIN, CREDENTIALS, EXPOSED];

/** Which pages of other sites may use a route, as browsers ask for them (Fetch standard, "CORS protocol"). */
export class Cors {
  readonly #settings: CorsSettings;
  readonly #origins: ReadonlySet<string>;

  constructor(settings: CorsSettings) {
    this.#settings = settings;
    this.#origins = new Set(settings.origins);
  }

  /** What every answer to the request gets. */
  answer(request: TrafficRequest): Fields {
    const { credentials, expose } = this.#settings;
    const origin = request.header('origin');
    const everybody = this.#origins.has('*');
    // Also where nobody is allowed, or a cache would give that answer to somebody who is.
    const vary = everybody ? [] : ['vary', 'Origin'];
    if (origin === undefined || !this.#allows(origin)) return vary;
    const fields = [...vary, ORIGIN, everybody ? '*' : origin];
    if (credentials) fields.push(CREDENTIALS, 'true');
    if (expose.length > 0) fields.push(EXPOSED, expose.join(', '));
    return fields;
  }

  /** The answer to a request that only asks whether another one may follow; undefined for any other. */
  preflight(request: TrafficRequest): TurnedAway | undefined {
    if (request.method !== 'OPTIONS') return undefined;
    const origin = request.header('origin');
    const method = request.header(ASKED_METHOD);
    if (origin === undefined || method === undefined) return undefined;
    const { methods, headers, maxAgeS } = this.#settings;
    const vary = ['vary', `${ASKED_METHOD}, ${ASKED_HEADERS}`];
    if (!this.#allows(origin)) return turnedAway('forbidden', 'this origin may not ask', vary);
    const asked = request.header(ASKED_HEADERS) ?? '';
    const allowed = headers.includes('*') && NAMES.test(asked) ? asked : headers.join(', ');
    const fields = [...vary, 'access-control-allow-methods', methods.join(', ')];
    if (allowed !== '') fields.push('access-control-allow-headers', allowed);
    fields.push('access-control-max-age', String(maxAgeS));
    return new TurnedAway(undefined, NO_CONTENT, '', fields);
  }

  /** `null` is the origin of any page that hides its own, so it is in no list. */
  #allows(origin: string): boolean {
    return this.#origins.has('*') || (origin !== 'null' && this.#origins.has(origin));
  }
}
