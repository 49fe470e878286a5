import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate, tempDir } from '@usher/testing';
import { describe, expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';
import { tlsSource } from './tls-files.ts';

const DAY_MS = 86_400_000;
const one = makeCertificate({ names: ['One.example', '*.one.example'] });
const two = makeCertificate({ names: ['two.example'] });
const old = makeCertificate({
  notBefore: new Date(Date.now() - 2 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
});
const locked = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' },
});
const files: Record<string, string> = {
  '/etc/usher/one.pem': one.cert,
  '/etc/usher/one.key': one.key,
  '/keys/two.pem': two.cert,
  '/keys/two.key': two.key,
  '/keys/old.pem': old.cert,
  '/keys/old.key': old.key,
  '/keys/locked.key': locked.privateKey,
  '/keys/text': 'no certificate',
};
const disk: Disk = {
  readBytes(path) {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return Buffer.from(text);
  },
  isFile: (path) => path in files,
};
const surroundings = { disk, folder: '/etc/usher' };
const listen = (tls: string) => `listen: [{ address: ":443", tls: { ${tls} } }]`;
const ONE = 'certificates: [{ cert: one.pem, key: one.key }]';

test('a listener has TLS with defaults that are safe', () => {
  const { local } = parseConfigText(listen(ONE), surroundings);
  expect(local.listen).toEqual([
    {
      host: '0.0.0.0',
      port: 443,
      proxyProtocol: false,
      http2: true,
      proxyProtocolFrom: [],
      tls: {
        certificates: [{ cert: '/etc/usher/one.pem', key: '/etc/usher/one.key' }],
        minVersion: '1.2',
        ciphers: expect.stringMatching(/^(ECDHE-[A-Z0-9-]+:?){6}$/),
        clientAuth: 'none',
      },
    },
  ]);
});

test('naming who signs the certificates of clients makes them required', () => {
  const { local } = parseConfigText(
    listen(`${ONE}, min_version: 1.3, client_ca: /keys/two.pem`),
    surroundings,
  );
  expect(local.listen[0]?.tls).toMatchObject({
    minVersion: '1.3',
    clientAuth: 'required',
    clientCa: '/keys/two.pem',
  });
});

test('an expired certificate is no fault, because refusing to start would help nobody', () => {
  expect(
    faultsOf(listen('certificates: [{ cert: /keys/old.pem, key: /keys/old.key }]'), surroundings),
  ).toEqual([]);
});

const AT = 'listen[0].tls';
test.each([
  ['', `1:34 ${AT}.certificates: missing; expected a list of at least 1, each a map with cert, key`],
  [
    'certificates: []',
    `1:50 ${AT}.certificates: expected a list of at least 1, each a map with cert, key, found 0`,
  ],
  [
    'certificates: [{ cert: none.pem, key: one.key }]',
    `1:59 ${AT}.certificates[0].cert: there is no such file: /etc/usher/none.pem`,
  ],
  [
    'certificates: [{ cert: one.pem }]',
    `1:51 ${AT}.certificates[0].key: missing; expected the path of a file or folder`,
  ],
  [
    'certificates: [{ cert: /keys/text, key: one.key }]',
    `1:59 ${AT}.certificates[0].cert: there is no certificate in PEM form in /keys/text`,
  ],
  [
    'certificates: [{ cert: one.pem, key: one.pem }]',
    `1:73 ${AT}.certificates[0].key: there is no private key in PEM form in /etc/usher/one.pem`,
  ],
  [
    'certificates: [{ cert: one.pem, key: /keys/locked.key }]',
    `1:73 ${AT}.certificates[0].key: the private key needs a passphrase in /keys/locked.key`,
  ],
  [
    'certificates: [{ cert: one.pem, key: one.key }, { cert: one.pem, key: /keys/two.key }]',
    `1:106 ${AT}.certificates[1].key: the key in /keys/two.key is not that of the certificate in /etc/usher/one.pem`,
  ],
  [`${ONE}, min_version: "1.1"`, `1:98 ${AT}.min_version: "1.1" is not one of 1.2, 1.3, did you mean "1.2"?`],
  [`${ONE}, ciphers: ROT13`, `1:94 ${AT}.ciphers: there is no such cipher suite`],
  [
    `${ONE}, client_auth: required`,
    `1:98 ${AT}.client_auth: this needs client_ca: whose certificates are valid`,
  ],
  [
    `${ONE}, client_ca: /keys/text`,
    `1:96 ${AT}.client_ca: there is no certificate in PEM form in /keys/text`,
  ],
  [
    `${ONE}, client_ca: /keys/two.pem, client_auth: none`,
    `1:124 ${AT}.client_auth: with client_ca, clients are asked: optional or required`,
  ],
])('the section { %s } is refused at its place', (written, fault) => {
  expect(faultsOf(listen(written), surroundings)).toEqual([fault]);
});

test('neither faults nor explanations show what is in the files', () => {
  const secret = one.key.split('\n')[1]!;
  const text = listen('certificates: [{ cert: one.key, key: one.pem }]');
  expect(faultsOf(text, surroundings).join('\n')).not.toContain(secret);
  const explained = explainConfig(parseConfigText(listen(ONE), surroundings));
  expect(explained).toContainEqual(expect.objectContaining({ value: 'one.key' }));
  expect(JSON.stringify(explained)).not.toContain(secret);
});

describe('the source of a listener', () => {
  test('reads its files whenever it is asked, and says which of them is wrong', () => {
    const dir = tempDir();
    const cert = join(dir.path, 'cert.pem');
    const key = join(dir.path, 'key.pem');
    writeFileSync(cert, one.cert);
    writeFileSync(key, one.key);
    const source = tlsSource({
      certificates: [{ cert, key }],
      minVersion: '1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      clientAuth: 'none',
    });
    expect(source.files).toEqual([cert, key]);
    expect(source.read()).toMatchObject({
      certificates: [{ cert: one.cert, key: one.key, names: ['one.example', '*.one.example'] }],
      minVersion: 'TLSv1.2',
    });
    writeFileSync(cert, two.cert);
    expect(() => source.read()).toThrow(`the key in ${key} is not that of the certificate in ${cert}`);
    writeFileSync(key, two.key);
    expect(source.read().certificates[0]?.names).toEqual(['two.example']);
    dir.remove();
  });
});
