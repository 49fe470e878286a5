import { resolve } from 'node:path';
import type { TlsSettings } from '../settings.ts';
import { inspectTls } from '../tls-files.ts';
import { mapped } from '../types/collections.ts';
import { section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { CERTIFICATE_KEYS, CIPHERS, CLIENT_KEYS } from './tls.ts';

/** TLS of the admin API: one certificate, and who may connect. */
export const adminTls: Type<TlsSettings> = mapped(
  section({ ...CERTIFICATE_KEYS, ...CLIENT_KEYS }),
  (given, path, reading): TlsSettings => {
    const at = (file: string) => resolve(reading.surroundings.folder, file);
    const { cert, key, clientCa } = given;
    const settings: TlsSettings = {
      certificates: [{ cert: at(cert), key: at(key) }],
      minVersion: '1.2',
      ciphers: CIPHERS,
      clientAuth: given.clientAuth ?? (clientCa === undefined ? 'none' : 'required'),
      ...(clientCa === undefined ? {} : { clientCa: at(clientCa) }),
    };
    // What stands in for a fault must not be looked for on the disk.
    if (['cert', 'key'].some((each) => reading.isFaulty(`${path}.${each}`))) return settings;
    for (const { of, message } of inspectTls(settings, reading.surroundings.disk).faults)
      reading.complain(given, of.key, message);
    return settings;
  },
);
