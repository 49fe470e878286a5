import { domainToASCII } from 'node:url';
import { PATH_PATTERN_LENGTH_MAX, pathPatternFault } from '@usher/domain';
import { fitForId, ID_PATTERN } from '@usher/events';
import { isHost } from './network.ts';
import { text } from './scalar.ts';
import { type Refusal, refuse, type Type } from './type.ts';

const PATH_LENGTH_MAX = 2048;
const FREE_TEXT_LENGTH_MAX = 1024;
/** A token (RFC 9110 section 5.6.2): what names of headers and of cookies consist of. */
const TOKEN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$";

/** An id: it is also a metric label, a subject token and a file name, hence the narrow alphabet. */
export const id: Type<string> = text({
  expects: 'an id (letters, digits, - and _)',
  jsonSchema: { pattern: ID_PATTERN.source },
  standIn: 'unnamed',
  parse: parseId,
});

/** Name of a header or cookie. */
export const fieldName: Type<string> = text({
  expects: 'the name of a header or cookie, such as X-User',
  jsonSchema: { pattern: TOKEN },
  standIn: 'unnamed',
  parse: (written) =>
    new RegExp(TOKEN).test(written)
      ? written
      : refuse(`${JSON.stringify(written)} is not the name of a header or cookie`),
});

/** Path of a file or folder, as written. */
export const filePath: Type<string> = text({
  expects: 'the path of a file or folder',
  standIn: '.',
  parse(path) {
    if (path.includes('\0')) return refuse('a path cannot contain a NUL character');
    return path.length <= FREE_TEXT_LENGTH_MAX
      ? path
      : refuse(`longer than ${FREE_TEXT_LENGTH_MAX} characters`);
  },
});

/** Host that a route matches. */
export const routeHost: Type<string> = text({
  expects: 'a host such as api.example.com or *.example.com',
  standIn: 'unnamed.invalid',
  parse: parseRouteHost,
});

/** Path that a route matches. */
export const routePath: Type<string> = text({
  expects: 'a path such as /login, /v1/* or /*',
  jsonSchema: { pattern: '^/[^\\s?#*]*\\*?$' },
  standIn: '/*',
  parse: parseRoutePath,
});

/** Path of metrics, beside those of health. */
export const metricsPath: Type<string> = text({
  expects: 'a path such as /metrics',
  jsonSchema: { pattern: '^/[^\\s?#*]*$' },
  standIn: '/metrics',
  parse(written) {
    if (written.startsWith('/') && written.includes('*')) return refuse('metrics have one path, without *');
    if (/^\/health(\/|$)/.test(written)) return refuse('/health and what is below it say how the process is');
    return parseRoutePath(written);
  },
});

/** Paths that an endpoint of a backend is for. */
export const endpointPath: Type<string> = text({
  expects: 'a path such as /login, /api/* or /*.png',
  jsonSchema: { pattern: '^/[!-~]*$', maxLength: PATH_PATTERN_LENGTH_MAX },
  standIn: '/*',
  parse: parseEndpointPath,
});

/** Path and query that a probe asks for. */
export const probePath: Type<string> = text({
  expects: 'a path such as /healthz',
  jsonSchema: { pattern: '^/[!-~]*$' },
  standIn: '/',
  parse(path) {
    if (!path.startsWith('/')) return refuse('a path starts with /', `/${path}`);
    if (!/^[!-~]*$/.test(path) || path.includes('#'))
      return refuse('a space, # or character outside ASCII must be percent-encoded');
    return path.length <= PATH_LENGTH_MAX ? path : refuse(`longer than ${PATH_LENGTH_MAX} characters`);
  },
});

export function parseId(written: string): string | Refusal {
  if (ID_PATTERN.test(written)) return written;
  const meant = fitForId(written);
  return refuse(
    `${JSON.stringify(written)} is not an id: up to 63 letters, digits, - and _, the first one a letter or digit`,
    meant === '' ? undefined : meant,
  );
}

export function parseRouteHost(written: string): string | Refusal {
  const lower = written.toLowerCase();
  const name = lower.startsWith('*.') ? lower.slice(2) : lower;
  const star = lower.startsWith('*.') ? '*.' : '';
  if (isHost(name) && !(star !== '' && /^[0-9.]+$/.test(name))) return lower;
  const port = /^(.+):[0-9]{1,5}$/.exec(lower);
  if (port !== null && isHost(port[1]!.replace(/^\*\./, ''))) {
    return refuse('a host has no port here; every listener serves every route', port[1]);
  }
  if (lower === '*') return refuse('leave host out to match every host');
  if (/^\[[0-9a-f:.]+\]$/.test(lower)) return lower;
  const ascii = domainToASCII(name);
  const meant = ascii !== '' && ascii !== name && isHost(ascii) ? star + ascii : undefined;
  return refuse(`${JSON.stringify(written)} is not a host such as api.example.com or *.example.com`, meant);
}

function parseRoutePath(written: string): string | Refusal {
  if (!written.startsWith('/')) return refuse('a path starts with /', `/${written.replace(/^\*?$/, '*')}`);
  if (written.length > PATH_LENGTH_MAX) return refuse(`longer than ${PATH_LENGTH_MAX} characters`);
  if (/[?#]/.test(written))
    return refuse('routes match the path only, without ? and #', written.replace(/[?#].*$/s, ''));
  if (!/^[!-~]*$/.test(written))
    return refuse('a space or character outside ASCII must be percent-encoded', encoded(written));
  const before = written.replace(/\/\*$/, '');
  if (before.includes('*')) {
    const meant = /^[^*]*[^*/]\*$/.test(written) ? `${written.slice(0, -1)}/*` : undefined;
    return refuse('* may stand only at the end, as /*', meant);
  }
  return neverInRequests(before) ?? written;
}

function parseEndpointPath(written: string): string | Refusal {
  if (!written.startsWith('/')) return refuse('a path starts with /', `/${written}`);
  const fault = pathPatternFault(written);
  if (fault === undefined) return neverInRequests(written) ?? written;
  return refuse(fault, /^[!-~]*$/.test(written) ? undefined : encoded(written));
}

/** What keeps a path from being that of any request. */
function neverInRequests(path: string): Refusal | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path))
    return refuse(
      '% must be followed by two hexadecimal digits',
      path.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'),
    );
  if (/\/\.{1,2}(\/|$)/.test(path)) return refuse('a request never has the parts . and .. in its path');
  return undefined;
}

function encoded(path: string): string | undefined {
  return path.isWellFormed() ? encodeURI(path) : undefined;
}
