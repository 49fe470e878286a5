import {
  ADMIN_OPTIONS,
  CONFIG_OPTIONS,
  FOREIGN_FLAGS,
  FORMAT_OPTION,
  JSON_OPTION,
  ONLY_OPTION,
} from './options.ts';
import { verb } from './verb.ts';

/** Verbs that need no running system. */

const FILE = {
  FILE: { doc: 'the configuration', optional: true, takes: { paths: 'files' } },
} as const;

export const check = verb({
  name: 'check',
  summary: 'check a configuration without running it',
  notes: [
    'With --against running the process that runs reads the file as its own; config diff tells what config apply would change.',
    'Then it ends with 0 when nothing would change, with 1 when something would, and with 2 when that cannot be said.',
  ],
  arguments: FILE,
  options: {
    ...ADMIN_OPTIONS,
    explain: { type: 'boolean', doc: 'print every value in force and where it comes from' },
    against: {
      type: 'string',
      value: 'running',
      doc: 'say what would change of the system that runs, and what needs a restart',
      takes: { words: ['running'] },
    },
  },
  behind: FOREIGN_FLAGS,
});

export const importConfig = verb({
  name: 'import',
  summary: 'translate the configuration of another load balancer',
  notes: ['What has no equal, or means something else now, is told on standard error.'],
  arguments: { FILE: { doc: 'the file to translate', takes: { paths: 'files' } } },
  options: {
    ...FORMAT_OPTION,
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      doc: 'where to write it, instead of on standard output',
      takes: { paths: 'files' },
    },
  },
  behind: FOREIGN_FLAGS,
});

export const doctor = verb({
  name: 'doctor',
  summary: 'look for whatever a configuration relies on and does not find',
  notes: [
    'Clocks, NATS and its rights, Redis, the limit of open files, ports, permissions, and for how long backends keep connections.',
    'It changes nothing and ends with 1 when there is an error. Run it as the user that Usher runs as.',
  ],
  options: { ...CONFIG_OPTIONS, ...ONLY_OPTION, ...JSON_OPTION },
  behind: FOREIGN_FLAGS,
});

export const schema = verb({
  name: 'schema',
  summary: 'print the JSON Schema of the configuration file',
  options: JSON_OPTION,
});

export const version = verb({ name: 'version', summary: 'print the version', options: JSON_OPTION });

export const replay = verb({
  name: 'replay',
  summary: 'rebuild the state from the event log alone',
  options: {
    at: { type: 'string', value: 'POSITION', doc: 'up to this position' },
    digest: { type: 'boolean', doc: 'only position and digest' },
    verify: { type: 'boolean', doc: 'compare with every checkpoint, and look for what the log lacks' },
    ...CONFIG_OPTIONS,
    ...JSON_OPTION,
  },
});

export const auditReservations = verb({
  name: 'audit reservations',
  summary: 'prove from the log that reservations never exceeded what backends have',
  options: { ...CONFIG_OPTIONS, ...JSON_OPTION },
});

export const init = verb({
  name: 'init',
  summary: 'write a small configuration to begin with',
  options: {
    file: {
      type: 'string',
      value: 'FILE',
      default: 'usher.yaml',
      doc: 'where to write it',
      takes: { paths: 'files' },
    },
    backend: {
      type: 'string',
      value: '[ID=]URL',
      multiple: true,
      doc: 'a backend, such as http://10.0.0.1:3000; without any, one that is to be replaced',
    },
    pool: { type: 'string', value: 'ID', default: 'web', doc: 'the pool that they are in' },
    force: { type: 'boolean', doc: 'write over a file that is there' },
  },
});

export const generateConfig = verb({
  name: 'generate-config',
  summary: 'print a configuration with every default, each with a line about it',
  options: {
    full: { type: 'boolean', doc: 'with every key that has no default, commented out' },
  },
});

export const tokenCreate = verb({
  name: 'token create',
  summary: 'make a token for the admin API and print it, once, with the lines for the configuration',
  notes: ['It is kept nowhere: whoever loses it makes another.'],
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      default: 'read',
      doc: 'what it allows',
      takes: { words: ['read', 'operate', 'admin', 'agent'] },
    },
    name: { type: 'string', value: 'NAME', doc: 'who uses it; it is written into what they change' },
    backend: { type: 'string', value: 'ID', doc: 'the backend that a token with the role agent speaks for' },
    ...JSON_OPTION,
  },
});

export const completion = verb({
  name: 'completion',
  summary: 'print a script that completes usher in a shell',
  notes: [
    'bash: source <(usher completion bash)',
    'zsh: usher completion zsh > "${fpath[1]}/_usher"',
    'fish: usher completion fish > ~/.config/fish/completions/usher.fish',
  ],
  arguments: { SHELL: { doc: 'the shell', takes: { words: ['bash', 'zsh', 'fish'] } } },
  options: {},
});
