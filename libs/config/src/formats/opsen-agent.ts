import { fitForId } from '@usher/events';
import { defaulted, type ForeignFile, optional } from './foreign-file.ts';
import { keyedFormat } from './format.ts';
import { bool, text, whole, words } from './kinds.ts';
import { LEVELS } from './opsen-keys.ts';

const REPORTS = "Usher's agent reports as often as it is useful.";
const TRIES = 'It tries until it succeeds.';
const ADMIN_PORT = 9091;

const KEYS = {
  server_url: defaulted(
    text,
    'http://localhost:8080',
    '--url',
    "Host of it; the port is that of Usher's admin API.",
  ),
  client_id: optional(text, '--backend', 'Without it made of the host name or the endpoint.'),
  hostname: optional(text, '--backend', 'Where there is no `client_id`.'),
  window_minutes: defaulted(whole(1), 15, '', REPORTS),
  report_interval_seconds: defaulted(whole(1), 60, '', REPORTS),
  disk_path: defaulted(text, '/', '--disk'),
  log_level: defaulted(words(LEVELS), 'info', '', 'Always `info`.'),
  json_logging: optional(bool, '', 'Of its examples for Docker. Always text.'),
  endpoint_url: optional(text, '--register'),
  endpoint: optional(text, '--register', 'The same in its examples for Docker.'),
  'endpoints[].url': optional(
    text,
    '--register',
    'The first one; declare others as `endpoints` of the backend.',
  ),
  'endpoints[].paths': optional({ expects: 'a list', parse: () => true as const }, '', 'As above.'),
  geoip_db_path: defaulted(text, '', '--geoip'),
  skip_geolocation: defaulted(
    bool,
    false,
    '--geoip',
    'Without it, and without a database, there is no place.',
  ),
  insecure_tls: defaulted(bool, false, '', 'Certificates are always checked.'),
  server_key: defaulted(text, '', '--token', 'A token with the role `agent`.'),
  max_registration_retries: optional(whole(0), '', TRIES),
  registration_retry_delay_seconds: optional(whole(0), '', TRIES),
  circuit_breaker_threshold: optional(whole(0), '', TRIES),
  circuit_breaker_timeout_seconds: optional(whole(0), '', TRIES),
} as const;

type File = ForeignFile<typeof KEYS>;

export const opsenAgent = keyedFormat({
  name: 'opsen-agent',
  title: 'Opsen (agent)',
  table: KEYS,
  variables: [
    { name: 'OPSEN_CLIENT_SERVER_URL', key: 'server_url' },
    { name: 'OPSEN_CLIENT_CLIENT_ID', key: 'client_id' },
    { name: 'OPSEN_CLIENT_WINDOW_MINUTES', key: 'window_minutes' },
    { name: 'OPSEN_CLIENT_INTERVAL_SECONDS', key: 'report_interval_seconds' },
    { name: 'OPSEN_CLIENT_DISK_PATH', key: 'disk_path' },
  ],
  flags: [
    { name: 'server', key: 'server_url' },
    { name: 'window', key: 'window_minutes' },
    { name: 'interval', key: 'report_interval_seconds' },
    { name: 'disk', key: 'disk_path' },
    { name: 'id', key: 'client_id' },
  ],
  translate: (file) => {
    const server = file.get('server_url');
    const url = URL.parse(server.value);
    if (url === null)
      file.remarks.fault(server.path, server.at, 'this is not a URL such as http://10.0.0.1:8080');
    else url.port = String(ADMIN_PORT);
    const endpoint = endpointOf(file);
    const id = file.get('client_id').value || file.get('hostname').value || endpoint || 'this-machine';
    const [key, geoip] = [file.get('server_key').value, file.get('geoip_db_path').value];
    remarkOnTheRest(file);
    const parts: (readonly [flag: string, value: string | undefined])[] = [
      ['--backend', fitForId(id.replace(/^[a-z]+:\/\//i, ''))],
      ['--url', url?.origin],
      ['--token', key === '' ? undefined : 'env:USHER_TOKEN'],
      ['--register', endpoint],
      ['--pool', endpoint === undefined ? undefined : 'opsen'],
      [
        '--geoip',
        geoip === '' || endpoint === undefined || file.get('skip_geolocation').value ? undefined : geoip,
      ],
      ['--disk', file.get('disk_path').value],
    ];
    const words = parts.flatMap(([flag, word]) => (word === undefined ? [] : [flag, quoted(word)]));
    return ['usher agent', ...words].join(' ');
  },
});

function endpointOf(file: File): string | undefined {
  const [first, ...others] = file.items('endpoints');
  const more = others[0];
  if (more !== undefined)
    file.remarks.lost(
      'endpoints',
      more.at,
      'only the first endpoint is registered; declare the backend with `endpoints`',
    );
  const url =
    first?.get('endpoints[].url').value || file.get('endpoint_url').value || file.get('endpoint').value;
  if (url !== undefined && url !== '') return url;
  const message = "Usher's agent does not guess its endpoint: give --register, or declare the backend";
  file.remarks.lost('endpoint_url', file.at, message);
  return undefined;
}

function remarkOnTheRest(file: File): void {
  const { remarks } = file;
  remarks.changed(
    'server_url',
    file.get('server_url').at.kind === 'default' ? file.at : file.get('server_url').at,
    "Opsen's own agent can stay as it is; this is the command for Usher's, which reports to the admin API",
  );
  const key = file.get('server_key');
  if (key.value !== '')
    remarks.changed(
      key.path,
      key.at,
      'make a token with the role agent for this backend, and put it into USHER_TOKEN',
    );
  const insecure = file.get('insecure_tls');
  if (insecure.value) remarks.lost(insecure.path, insecure.at, 'certificates are always checked');
}

/** A word of a shell's command line. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
