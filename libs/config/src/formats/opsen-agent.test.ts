import { expect, test } from 'vitest';
import { emptyDisk } from '../input/disk.ts';
import { importText } from './import.ts';

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
