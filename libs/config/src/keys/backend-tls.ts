import { resolve } from 'node:path';
import type { BackendTlsSettings } from '@usher/domain';
import { mapped } from '../types/collections.ts';
import { filePath } from '../types/names.ts';
import { hostName } from '../types/network.ts';
import { trueOrFalse } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';

const FILES = ['ca', 'cert', 'key'] as const;

const keys = section({
  ca: optional('those that Node trusts', {
    to: 'ca',
    type: filePath,
    doc: 'File with the certificates, in PEM form, of those who may sign the certificates of the backends. Every gateway and prober reads it on its own machine, and again when it changes.',
  }),
  server_name: optional("the host of the backend's URL", {
    to: 'serverName',
    type: hostName,
    doc: 'Name that backends are asked for (SNI) and that their certificates must be for.',
  }),
  cert: optional('no certificate', {
    to: 'cert',
    type: filePath,
    doc: 'File with the certificate, in PEM form, that is shown to backends that ask for one.',
  }),
  key: optional('no key', {
    to: 'key',
    type: filePath,
    doc: 'File with the private key of `cert` in PEM form, without a passphrase.',
  }),
  verify: defaulted(true, {
    to: 'verify',
    type: trueOrFalse,
    doc: 'Whether the certificates of backends are checked.',
    why: 'Unchecked, anybody between here and a backend can read and change everything.',
  }),
});

/** TLS towards the backends of a pool. */
export const backendTls: Type<BackendTlsSettings> = mapped(keys, (given, _path, reading) => {
  const { folder, disk } = reading.surroundings;
  if ((given.cert === undefined) !== (given.key === undefined)) {
    const [there, missing] = given.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    reading.complain(given, there, `this needs ${missing} too`);
  }
  const files: { [File in (typeof FILES)[number]]?: string } = {};
  for (const key of FILES) {
    const written = given[key];
    if (written === undefined) continue;
    const file = resolve(folder, written);
    if (!disk.isFile(file)) reading.complain(given, key, `there is no such file: ${file}`);
    files[key] = file;
  }
  return { ...given, ...files };
});
