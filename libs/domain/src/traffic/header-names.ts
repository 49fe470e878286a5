/** What frames messages or belongs to one connection: who could change it would decide where a message ends. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What a gateway writes itself. */
const OWN: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]);

/** Why a header, named in lower case, is none that a policy may change; undefined when it is one. */
export function uneditable(name: string): string | undefined {
  if (FRAMING.has(name)) return `${name} decides where a message ends or goes, so it stays as it is`;
  return OWN.has(name) ? `${name} is what the gateway writes itself` : undefined;
}
