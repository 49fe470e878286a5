import { resolve } from 'node:path';
import type { BusSettings, LocalSettings, StoreSettings } from '../settings.ts';
import { list, mapped, wordOr } from '../types/collections.ts';
import { filePath } from '../types/names.ts';
import { embeddedOrRedisUrl } from '../types/redis-url.ts';
import { oneOf, scalar } from '../types/scalar.ts';
import { plainSecret } from '../types/secret.ts';
import { defaulted, optional, required, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';
import { natsUrl } from '../types/urls.ts';

const WORKERS_MAX = 256;

/** A number of threads, or one per available core. */
export const workers: Type<number | 'auto'> = scalar({
  expects: `auto or a whole number from 1 to ${WORKERS_MAX}`,
  jsonSchema: { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: WORKERS_MAX }] },
  standIn: 'auto',
  parse({ text }) {
    if (text === 'auto') return 'auto';
    const count = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
    return count >= 1 && count <= WORKERS_MAX
      ? count
      : refuse(`expected auto or a whole number from 1 to ${WORKERS_MAX}, found ${JSON.stringify(text)}`);
  },
});

const nats = mapped(
  section({
    servers: required({
      to: 'servers',
      type: list(natsUrl, { min: 1 }),
      doc: 'The NATS servers of one cluster, such as `nats://10.0.0.1:4222` (the port unless written).',
    }),
    credentials: optional('no credentials', {
      to: 'credentials',
      type: plainSecret('the content of a NATS credentials file'),
      doc: 'Content of a credentials file (`.creds`), or the seed of an nkey, best as `file:path`.',
    }),
    ca: optional('those that Node trusts, if the servers ask for TLS', {
      to: 'ca',
      type: filePath,
      doc: 'File with the certificates, in PEM form, of those who may sign the certificates of the servers. With it, nothing is said to a server without TLS.',
    }),
  }),
  (given, _path, reading): BusSettings => {
    const { ca, ...others } = given;
    if (ca === undefined) return { type: 'nats', ...others };
    const file = resolve(reading.surroundings.folder, ca);
    if (!reading.surroundings.disk.isFile(file))
      reading.complain(given, 'ca', `there is no such file: ${file}`);
    return { type: 'nats', ...others, ca: file };
  },
);

/** Where the event log and the messages are. */
export const bus: Type<BusSettings> = mapped(
  wordOr('embedded', nats),
  (value): BusSettings => (value === 'embedded' ? { type: value } : value),
);

/** Where short-lived shared state is. */
export const store: Type<StoreSettings> = mapped(
  embeddedOrRedisUrl,
  (url): StoreSettings => (url === 'embedded' ? { type: 'embedded' } : { type: 'redis', url }),
);

/** Where addresses are on the Earth. */
export const geoip: Type<NonNullable<LocalSettings['geoip']>> = mapped(
  section({
    database: required({
      to: 'database',
      type: filePath,
      doc: "A City database in MaxMind's format (`.mmdb`), such as GeoLite2 City. It is read again whenever the file is replaced. While there is none that can be used, distance does not count.",
      why: 'A file that is not there yet keeps nothing from starting: distance is a help, not a need.',
    }),
  }),
  ({ database }, _path, reading) => ({ database: resolve(reading.surroundings.folder, database) }),
);

export const logging: Type<LocalSettings['logging']> = section({
  level: defaulted('info', {
    to: 'level',
    type: oneOf(['debug', 'info', 'warn', 'error']),
    doc: 'The least important entries that are written.',
  }),
  format: defaulted('json', {
    to: 'format',
    type: oneOf(['json', 'text']),
    doc: '`json` has one object a line for programs, `text` is for people.',
  }),
});
