import { describe, expect, test } from 'vitest';
import { emptyDisk } from '../input/disk.ts';
import { importText } from './import.ts';
import { opsenAgent } from './opsen-agent.ts';
import { testKeys } from './testing/key-rows.ts';
import { testFlags, testVariables } from './testing/overlay-rows.ts';

const BASE = {
  server_url: 'http://lb.example.com:8080',
  client_id: 'one',
  window_minutes: 16,
  report_interval_seconds: 61,
  disk_path: '/srv',
  endpoint_url: 'http://a:1',
  geoip_db_path: 'city.mmdb',
};
/** Without a name or an endpoint of its own. */
const NAMELESS = { server_url: BASE.server_url };

describe("a key of Opsen's agent", () => {
  testKeys(
    opsenAgent,
    [
      BASE,
      [
        ['server_url', 'https://other.example.com:8080', '--url', 'https://other.example.com:9091'],
        ['client_id', 'two', '--backend', 'two'],
        ['window_minutes', 20],
        ['report_interval_seconds', 5],
        ['disk_path', '/data', '--disk', '/data'],
        ['log_level', 'debug'],
        ['json_logging', true],
        ['endpoint_url', 'http://b:2', '--register', 'http://b:2'],
        ['endpoints[].url', 'http://b:2', '--register', 'http://b:2'],
        [
          'endpoints',
          [{ url: 'http://b:2' }, { url: 'http://c:3' }],
          /endpoints: not translated: only the first/,
        ],
        ['geoip_db_path', 'places.mmdb', '--geoip', 'places.mmdb'],
        ['skip_geolocation', true, '--geoip', undefined],
        ['insecure_tls', true, /insecure_tls: not translated: certificates are always checked/],
        ['server_key', 'secret', '--token', 'env:USHER_TOKEN'],
        ['server_key', 'secret', /server_key: changed: make a token with the role agent/],
        ['max_registration_retries', 3],
        ['registration_retry_delay_seconds', 3],
        ['circuit_breaker_threshold', 3],
        ['circuit_breaker_timeout_seconds', 3],
      ],
    ],
    [
      NAMELESS,
      [
        ['hostname', 'web-7', '--backend', 'web-7'],
        ['endpoint', 'http://b:2', '--register', 'http://b:2'],
        ['endpoint', 'http://b:2', '--backend', 'b-2'],
      ],
    ],
    [{ ...NAMELESS, endpoints: [{ url: 'http://a:1' }] }, [['endpoints[].paths', ['/v1']]]],
  );
});

describe("a variable of Opsen's agent", () => {
  testVariables(opsenAgent, BASE, [
    ['OPSEN_CLIENT_SERVER_URL', 'server_url', 'http://other:1', '--url', 'http://other:9091'],
    ['OPSEN_CLIENT_CLIENT_ID', 'client_id', 'two', '--backend', 'two'],
    ['OPSEN_CLIENT_WINDOW_MINUTES', 'window_minutes', '20'],
    ['OPSEN_CLIENT_INTERVAL_SECONDS', 'report_interval_seconds', '5'],
    ['OPSEN_CLIENT_DISK_PATH', 'disk_path', '/data', '--disk', '/data'],
  ]);
});

describe("a flag of Opsen's agent", () => {
  testFlags(opsenAgent, BASE, [
    ['server', 'server_url', 'http://other:1', '--url', 'http://other:9091'],
    ['window', 'window_minutes', '20'],
    ['interval', 'report_interval_seconds', '5'],
    ['disk', 'disk_path', '/data', '--disk', '/data'],
    ['id', 'client_id', 'two', '--backend', 'two'],
  ]);
});

const command = (text: string, ...flags: readonly string[]) =>
  importText(text, { file: 'f', folder: '/', disk: emptyDisk, format: 'opsen-agent', flags });

test("a file of its agent becomes the command for Usher's", () => {
  const { output, notes } = command(
    `server_url: http://lb.example.com:8080
endpoint_url: http://backend-1.internal:8000
server_key: secret
disk_path: /mnt/a disk
geoip_db_path: city.mmdb
`,
  );
  expect(output).toBe(
    'usher agent --backend backend-1-internal-8000 --url http://lb.example.com:9091 --token env:USHER_TOKEN ' +
      "--register http://backend-1.internal:8000 --pool opsen --geoip city.mmdb --disk '/mnt/a disk'\n",
  );
  expect(notes.map(({ kind, path }) => `${path} ${kind}`)).toEqual([
    'server_url changed',
    'server_key changed',
  ]);
});

test('its flags lie over its file', () => {
  const flags = [
    '-server',
    'http://other:1',
    '-id',
    'seven',
    '-disk',
    '/data',
    '-window',
    '20',
    '-interval',
    '5',
  ];
  expect(command('server_url: http://lb:8080\n', ...flags).output).toBe(
    'usher agent --backend seven --url http://other:9091 --disk /data\n',
  );
});

test('of several endpoints the first one is registered, and that is said', () => {
  const { output, notes } = command(
    'client_id: a\nendpoints: [{ url: "http://b:1", paths: ["/v1"] }, { url: "http://b:2", paths: ["/*"] }]\n',
  );
  expect(output).toContain('--register http://b:1 ');
  expect(notes.map(({ message }) => message).join('\n')).toContain('only the first endpoint is registered');
});
