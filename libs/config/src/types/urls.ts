import { parseBackendUrl as parseOrigin } from '@usher/domain';
import ipaddr from 'ipaddr.js';
import { isHost } from './network.ts';
import { text } from './scalar.ts';
import { Refusal, refuse, type Type } from './type.ts';

/** Messages about URLs never quote them, because a URL can contain a password. */

/** Origin of a backend, `http://host:port` or `https://host:port` with its port written out unless it is the scheme's own. */
export const backendUrl: Type<string> = text({
  expects: 'a URL such as http://10.0.0.1:3000',
  jsonSchema: { pattern: '^https?://[^/?#@\\s]+/?$' },
  standIn: 'http://127.0.0.1',
  parse: parseBackendUrl,
});

/** A NATS server, `nats://host:port`. */
export const natsUrl: Type<string> = text({
  expects: 'a URL such as nats://10.0.0.1:4222',
  jsonSchema: { pattern: '^nats://[^/?#@\\s]+/?$' },
  standIn: 'nats://127.0.0.1:4222',
  parse: parseNatsUrl,
});

interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly port: string;
  readonly rest: string;
}

// A reference `file:path` in the place of a password may contain slashes, nothing else before the @ may.
const URL_FORM =
  /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*(?::file:[^?#]*)?)@)?(\[[^\]/?#@]*\]|[^:/?#@[\]]*)(?::([0-9]*))?([/?#].*)?$/s;

/** Takes a URL apart. The host is lower case; the scheme must be one of the given ones. */
export function splitUrl(url: string, schemes: readonly string[], example: string): UrlParts | Refusal {
  const match = URL_FORM.exec(url);
  if (match === null) {
    const bare = /^[A-Za-z0-9.-]+(:[0-9]{1,5})?$/.test(url) ? `${schemes[0]}://${url}` : undefined;
    return refuse(`this is not a URL such as ${example}`, bare);
  }
  const [, written = '', user, hostText = '', port = '', rest = ''] = match;
  const scheme = written.toLowerCase();
  if (!schemes.includes(scheme)) {
    return refuse(`the scheme ${scheme}:// is not supported; expected a URL such as ${example}`);
  }
  const host = hostText.toLowerCase();
  // A dot at the end keeps a resolver from trying its search domains.
  const valid = host.startsWith('[')
    ? ipaddr.IPv6.isValid(host.slice(1, -1))
    : isHost(host.replace(/\.$/, ''));
  if (!valid) return refuse('the host of the URL is neither an IP address nor a host name');
  if (port !== '' && (Number(port) < 1 || Number(port) > 65_535)) {
    return refuse('the port of the URL is not a number from 1 to 65535');
  }
  return { scheme, user, host, port, rest };
}

/** The normal form of a backend's URL, which is one for the gateways too. */
function parseBackendUrl(url: string): string | Refusal {
  const parts = splitUrl(url, ['http', 'https'], 'http://10.0.0.1:3000');
  if (parts instanceof Refusal) return parts;
  if (parts.user !== undefined) return refuse('the URL of a backend takes no user and no password');
  if (parts.rest !== '' && parts.rest !== '/')
    return refuse('the URL of a backend takes no path, query or fragment');
  const standard = parts.scheme === 'https' ? 443 : 80;
  const port = Number(parts.port === '' ? standard : parts.port);
  const normal = `${parts.scheme}://${parts.host}${port === standard ? '' : `:${port}`}`;
  if (parts.host.endsWith('.'))
    return refuse('the host of a backend has no dot at its end', normal.replace(/\.(?=:\d+$|$)/, ''));
  const origin = parseOrigin(normal);
  return typeof origin === 'string' ? refuse(`the URL of a backend ${origin}`) : normal;
}

function parseNatsUrl(url: string): string | Refusal {
  const parts = splitUrl(url, ['nats'], 'nats://10.0.0.1:4222');
  if (parts instanceof Refusal) return parts;
  if (parts.user !== undefined) return refuse('users and passwords do not belong here; use credentials');
  if (parts.rest !== '' && parts.rest !== '/')
    return refuse('the URL of a NATS server takes no path or query');
  return `nats://${parts.host}:${parts.port === '' ? 4222 : Number(parts.port)}`;
}
