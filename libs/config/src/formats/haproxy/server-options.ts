import type { Remarks } from '../remarks.ts';
import type { Word } from './sections.ts';

/** An option of a server, with the word that belongs to it. */
interface ServerOption {
  readonly word: Word;
  readonly value: Word | undefined;
}

/** By name. */
export type ServerOptions = ReadonlyMap<string, ServerOption>;

/** Options that become something, or that nothing is missed of, and whether a word belongs to each. */
const KNOWN: Readonly<Record<string, boolean>> = {
  backup: false,
  'ca-file': true,
  check: false,
  // The cookies of Usher name its own backends.
  cookie: true,
  disabled: false,
  fall: true,
  guid: true,
  id: true,
  // A name is looked up when it is connected to.
  'init-addr': true,
  inter: true,
  maxconn: true,
  'no-sslv3': false,
  'no-tlsv10': false,
  'no-tlsv11': false,
  proto: true,
  rise: true,
  'send-proxy': false,
  'send-proxy-v2': false,
  slowstart: true,
  ssl: false,
  verify: true,
  weight: true,
};

interface Group {
  /** Why nothing stands for them, and what is instead. */
  readonly message: string;
  /** Options without a word of their own. */
  readonly bare?: string;
  readonly valued?: string;
}

const GROUPS: readonly Group[] = [
  {
    message: 'backends are probed where requests go, as requests go there',
    bare: 'check-send-proxy check-ssl check-via-socks4 check-reuse-pool',
    valued: 'addr port check-alpn check-proto check-sni check-pool-conn-name',
  },
  { message: 'probes have one `interval`, and `down_interval` while down', valued: 'fastinter downinter' },
  { message: 'each backend is probed by itself', valued: 'track init-state' },
  {
    message: 'what requests show of a backend counts by `passive` and `breaker`',
    valued: 'observe on-error error-limit',
  },
  { message: 'requests under way end by themselves', valued: 'on-marked-down on-marked-up' },
  {
    message: 'nobody is asked for a load of its own; `usher-agent` reports it',
    bare: 'agent-check',
    valued: 'agent-addr agent-inter agent-port agent-send',
  },
  { message: 'the limit of a backend is `max_connections`', valued: 'minconn', bare: 'strict-maxconn' },
  { message: 'how many wait is a matter of the pool: `queue`', valued: 'maxqueue' },
  { message: 'backends are redirected to by `routes[].redirect` only', valued: 'redir' },
  {
    message: 'connections come from the address that the system chooses',
    valued: 'source interface namespace',
  },
  { message: 'backends are connected to directly', valued: 'socks4' },
  {
    message: 'names are looked up as the system does',
    valued: 'resolvers resolve-prefer resolve-net resolve-opts',
  },
  {
    message: 'connections to backends are kept by rules of their own',
    valued:
      'pool-conn-name pool-low-conn pool-max-conn pool-purge-delay max-reuse idle-ping tcp-ut shard log-proto log-bufsize ws',
    bare: 'tfo',
  },
  { message: 'where a backend is in a hash is made of its id', valued: 'hash-key' },
  { message: 'every backend of the pool can keep clients', bare: 'non-stick stick' },
  {
    message: 'the PROXY protocol tells addresses alone',
    valued: 'proxy-v2-options set-proxy-v2-tlv-fmt',
    bare: 'send-proxy-v2-ssl send-proxy-v2-ssl-cn',
  },
  {
    message: 'backends are asked for by the host of their URL, or by `tls.server_name` of the pool',
    valued: 'sni verifyhost',
  },
  { message: 'write `tls.cert` and `tls.key` of the pool', valued: 'crt' },
  {
    message: 'how TLS is spoken with backends is not chosen',
    valued:
      'alpn npn ciphers ciphersuites curves sigalgs client-sigalgs crl-file ssl-min-ver ssl-max-ver renegotiate',
    bare: 'allow-0rtt no-ssl-reuse no-tls-tickets no-tlsv12 no-tlsv13 force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 tls-tickets ssl-reuse no-renegotiate',
  },
];

interface Lost {
  readonly message: string;
  readonly valued: boolean;
}

const LOST: ReadonlyMap<string, Lost> = new Map(
  GROUPS.flatMap(({ message, bare, valued }) => [
    ...named(bare, { message, valued: false }),
    ...named(valued, { message, valued: true }),
  ]),
);

/** The options in these words: the last of those with the same name counts, and `no-check` takes `check` back. */
export function optionsIn(words: readonly Word[]): ServerOptions {
  const options = new Map<string, ServerOption>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const taken = takenBack(word.text);
    if (taken === undefined)
      options.set(word.text, { word, value: takesWord(word.text) ? words[++index] : undefined });
    else options.delete(taken);
  }
  return options;
}

/** Says which of them nothing stands for. */
export function tellLostOptions(options: ServerOptions, remarks: Remarks): void {
  for (const [name, { word }] of options) {
    if (!Object.hasOwn(KNOWN, name))
      remarks.lost(name, word.at, LOST.get(name)?.message ?? 'Usher has nothing for it');
  }
}

function takesWord(name: string): boolean {
  return Object.hasOwn(KNOWN, name) ? KNOWN[name] === true : LOST.get(name)?.valued === true;
}

/** The option that this one takes back. */
function takenBack(name: string): string | undefined {
  if (name === 'enabled') return 'disabled';
  if (!name.startsWith('no-') || Object.hasOwn(KNOWN, name) || LOST.has(name)) return undefined;
  const taken = name.slice('no-'.length);
  return Object.hasOwn(KNOWN, taken) || LOST.has(taken) ? taken : undefined;
}

function named(names: string | undefined, lost: Lost): (readonly [string, Lost])[] {
  return names === undefined ? [] : names.split(' ').map((name) => [name, lost] as const);
}
