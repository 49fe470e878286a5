import { type BackendSettings, parseBackendUrl } from '@usher/domain';
import { isLoopback, plainAddress } from '@usher/runtime';

/** Everywhere that a backend listens. */
export function urlsOf({ url, endpoints = [] }: BackendSettings): string[] {
  return [url, ...endpoints.map((endpoint) => endpoint.url)];
}

/** A host in the one form in which it can be compared. With a dot at its end a name is the same one. */
export function plainHost(host: string): string {
  return plainAddress(host) ?? host.toLowerCase().replace(/\.$/, '');
}

/** Host and port of a URL in the one form in which they can be compared; those of this machine itself are all one host. */
export function addressOf(url: string): string {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') return url;
  const host = plainHost(origin.host);
  return `${isLoopback(host) ? 'localhost' : host}:${origin.port}`;
}
