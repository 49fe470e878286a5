import { type RedirectSettings, Template } from '@usher/domain';
import type { TrafficRequest } from './traffic-request.ts';

/** Keeps the method, so that a form that is sent without TLS is sent again. */
const TO_HTTPS = 308;

/** Sends clients elsewhere. */
export class Redirect {
  readonly status: number;
  readonly #to: Template;
  readonly #toHttps: boolean;

  constructor(settings: RedirectSettings) {
    this.#toHttps = settings === 'https';
    this.status = settings === 'https' ? TO_HTTPS : settings.status;
    this.#to = new Template(settings === 'https' ? 'https://{host}{path}{query}' : settings.to);
  }

  /** Where a request is sent; undefined = it stays here. */
  target(request: TrafficRequest): string | undefined {
    const { client, consumer, request_id, scheme, host, path, query, route } = request;
    if (this.#toHttps && (scheme === 'https' || host === '')) return undefined;
    return this.#to.filled({ client, consumer, request_id, scheme, host, path: rooted(path), query, route });
  }
}

/** What begins with two slashes, or with what browsers take for one, would be a host. */
function rooted(path: string): string {
  return `/${path.replace(/^[/\\*]+/, '')}`;
}
