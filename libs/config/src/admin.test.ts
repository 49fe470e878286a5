import { generateKeyPairSync } from 'node:crypto';
import { makeCertificate } from '@usher/testing';
import { describe, expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import type { Disk } from './input/disk.ts';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const certificate = makeCertificate({ names: ['admin.example'] });
const pem = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, ...pem });
const short = generateKeyPairSync('rsa', { modulusLength: 1024, ...pem });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem });
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384', ...pem });
const ed = generateKeyPairSync('ed25519', pem);
const HMAC = '3f9e8d7c6b5a49382716f5e4d3c2b1a0-hmac';
const files: Record<string, string> = {
  '/etc/usher/admin.pem': certificate.cert,
  '/etc/usher/admin.key': certificate.key,
  '/keys/rsa': rsa.publicKey,
  '/keys/rsa-private': rsa.privateKey,
  '/keys/short': short.publicKey,
  '/keys/ec': ec.publicKey,
  '/keys/ec384': ec384.publicKey,
  '/keys/ed': ed.publicKey,
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
const adminOf = (keys: string) => parseConfigText(`admin: { ${keys} }`, surroundings).local.admin;
const faults = (keys: string) => faultsOf(`admin: { ${keys} }`, surroundings);

test('by default nobody is denied, there is no TLS, and the limits are those of a few operators', () => {
  expect(adminOf('')).toEqual({
    host: '127.0.0.1',
    port: 9091,
    tokens: [],
    allow: ['0.0.0.0/0', '::/0'],
    deny: [],
    limits: { bodyBytes: 65_536, connections: 256, connectionsPerIp: 64, requestsPerS: 500 },
  });
});

const jwt = (keys: string) => `jwt: { issuer: https://issuer.example, audience: usher, ${keys} }`;
const reachable = (secret: string) =>
  faults(`address: "0.0.0.0:9091", tokens: [{ name: ops, secret: ${JSON.stringify(secret)}, role: read }]`);

describe('signed tokens', () => {
  test('have an issuer, an audience and keys of every kind', () => {
    const keys = [
      `{ id: h, algorithm: HS256, key: ${HMAC} }`,
      '{ algorithm: RS256, key: "file:/keys/rsa" }',
      '{ algorithm: ES256, key: "file:/keys/ec" }',
      '{ algorithm: EdDSA, key: "file:/keys/ed" }',
    ];
    expect(adminOf(jwt(`keys: [${keys.join()}], role_claim: groups`))?.jwt).toEqual({
      issuer: 'https://issuer.example',
      audience: 'usher',
      keys: [
        { id: 'h', algorithm: 'HS256', key: HMAC },
        { algorithm: 'RS256', key: rsa.publicKey.trim() },
        { algorithm: 'ES256', key: ec.publicKey.trim() },
        { algorithm: 'EdDSA', key: ed.publicKey.trim() },
      ],
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      roleClaim: 'groups',
    });
  });

  test.each([
    ['https://issuer.example/jwks.json', { url: 'https://issuer.example/jwks.json' }],
    ['http://127.0.0.1:8200/jwks', { url: 'http://127.0.0.1:8200/jwks' }],
    ['"http://[::1]/jwks"', { url: 'http://[::1]/jwks' }],
    ['keys/jwks.json', { file: '/etc/usher/keys/jwks.json' }],
  ])('may be checked with keys that are published at %s', (written, place) => {
    expect(adminOf(jwt(`jwks: ${written}`))?.jwt?.jwks).toEqual(place);
  });

  test.each([
    ['', 'there is nothing to check tokens with; add keys or jwks'],
    ['jwks: http://issuer.example/jwks', 'expected an https URL; http is for this machine only'],
    ['jwks: http://localhost.evil.example/jwks', 'expected an https URL; http is for this machine only'],
    ['jwks: ftp://issuer.example/jwks', 'expected an https URL'],
    ['jwks: https://me:S3CRET@issuer.example/jwks', 'this URL takes no user and no password'],
    ['keys: [{ algorithm: none, key: x }]', '"none" is not one of HS256, RS256, ES256, EdDSA'],
    ['keys: [{ algorithm: HS256, key: S3CRET-too-short }]', 'HS256 needs a secret of 32 bytes or more'],
    [`keys: [{ algorithm: HS256, key: "${'changeme'.repeat(6)}" }]`, 'a secret that everybody tries'],
    ['keys: [{ algorithm: HS256, key: "file:/keys/rsa" }]', 'a key in PEM form is for another algorithm'],
    ['keys: [{ algorithm: RS256, key: "file:/keys/rsa-private" }]', 'this is a private key'],
    ['keys: [{ algorithm: RS256, key: "file:/keys/short" }]', 'RS256 needs a key of 2048 bits or more'],
    ['keys: [{ algorithm: RS256, key: "file:/keys/ec" }]', 'RS256 needs an RSA key'],
    ['keys: [{ algorithm: RS256, key: S3CRET }]', 'RS256 needs a public key in PEM form'],
    ['keys: [{ algorithm: ES256, key: "file:/keys/ec384" }]', 'ES256 needs a key on the curve P-256'],
    ['keys: [{ algorithm: EdDSA, key: "file:/keys/rsa" }]', 'EdDSA needs an Ed25519 key'],
    ['jwks: a, algorithms: [HS256]', '"HS256" is not one of RS256, ES256, EdDSA'],
    ['jwks: a, algorithms: []', 'expected a list of at least 1'],
    ['jwks: a, role_claim: "a b"', 'without spaces'],
  ])('are refused with { %s }', (keys, fault) => {
    const told = faults(jwt(keys)).join('\n');
    expect(told).toContain(fault);
    expect(told).not.toMatch(/S3CRET|PRIVATE KEY-/);
  });

  test('without an issuer and an audience would be good for anything, so both are needed', () => {
    expect(faults('jwt: { jwks: a }')).toHaveLength(2);
  });

  test('are enough on an address that others reach', () => {
    expect(faults(`address: ":9091", ${jwt('jwks: https://issuer.example/jwks')}`)).toEqual([]);
  });

  test('and their keys are not shown', () => {
    const text = `admin: { ${jwt(`keys: [{ algorithm: HS256, key: ${HMAC} }]`)} }`;
    expect(JSON.stringify(explainConfig(parseConfigText(text)))).not.toContain(HMAC);
  });
});

describe('on an address that others reach', () => {
  test.each([
    'x',
    'S3CRETS3CRET',
    'choose-one',
    'change-me-in-production',
    'changemechangeme',
    'CHANGE_ME_CHANGE_ME',
    '0123456789abcdef',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'abababababababababababab',
    'your-256-bit-secret',
    'your-super-secret-token',
    'supersecretpassword!',
    'admin-token-for-usher',
    'helios-admin-token',
    'opsen-secret-key-change-me',
    '                        ',
  ])('the token %j is refused', (secret) => {
    const told = reachable(secret);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^1:\d+ admin\.tokens\[0\]\.secret: .*too easy to guess, and 0\.0\.0\.0:9091 can be/,
    );
    expect(told[0]).not.toContain(secret);
  });

  test.each(['9f8a7c6e5d4b3a2910ffeeddccbbaa77', 'q7Jm2vX9pLk4RtZs', 'correct horse battery staple'])(
    'the token %j is taken',
    (secret) => {
      expect(reachable(secret)).toEqual([]);
    },
  );

  test('an empty one and none at all are refused too', () => {
    expect(reachable('')).toHaveLength(1);
    expect(faults('address: "0.0.0.0:9091"').join()).toContain('there are no tokens');
    expect(faults('address: "[::]:9091"').join()).toContain('there are no tokens');
  });

  test('all faults are told at once', () => {
    const tokens = ['a', 'b'].map((name) => `{ name: ${name}, secret: changeme, role: read }`);
    expect(faults(`address: ":9091", tokens: [${tokens.join()}], deny: [10.0.0.0/33]`)).toHaveLength(3);
  });
});

test('on this machine any token will do', () => {
  expect(faults('tokens: [{ name: ops, secret: x, role: read }]')).toEqual([]);
});

test('TLS needs a certificate with its key, and may ask for those of clients', () => {
  expect(adminOf('tls: { cert: admin.pem, key: admin.key, client_ca: admin.pem }')?.tls).toMatchObject({
    certificates: [{ cert: '/etc/usher/admin.pem', key: '/etc/usher/admin.key' }],
    clientAuth: 'required',
    clientCa: '/etc/usher/admin.pem',
  });
  expect(adminOf('tls: { cert: admin.pem, key: admin.key }')?.tls).toMatchObject({ clientAuth: 'none' });
});

test.each([
  ['tls: {}', 'admin.tls.cert: missing'],
  ['tls: { cert: none.pem, key: admin.key }', 'there is no such file: /etc/usher/none.pem'],
  ['tls: { cert: admin.pem, key: admin.pem }', 'there is no private key in PEM form'],
  ['tls: { cert: admin.pem, key: admin.key, client_auth: required }', 'this needs client_ca'],
  ['deny: [10.0.0.1/8]', 'has bits set after its prefix'],
  ['deny: [localhost]', 'admin.deny[0]'],
  ['allow: []', 'expected a list of at least 1'],
  ['limits: { body: 100MiB }', 'admin.limits.body'],
  ['limits: { connections: 0 }', 'admin.limits.connections'],
  ['limits: { requests_per_second: 0 }', 'admin.limits.requests_per_second'],
  ['limits: { request_per_second: 5 }', 'did you mean "requests_per_second"?'],
])('a fault is told at its place: %s', (keys, fault) => {
  expect(faults(keys).join('\n')).toContain(fault);
});
