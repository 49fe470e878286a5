import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfigText } from '@usher/config';
import { EXIT_OK, type Run, UsageError } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';

/** Stands in for backends that nobody named. */
const SOME_BACKEND = 'http://127.0.0.1:3000';

/** Writes a configuration that is small enough to be read, and right as it is. */
export const init: Run<typeof verbs.init> = async ({ options }, io) => {
  const { pool, backend: given, force } = options;
  const text = configOf(pool, given.length === 0 ? [SOME_BACKEND] : given);
  const file = path.resolve(io.cwd, options.file);
  // What was given may be no URL or no id: it is told as it would be of a file, and nothing is written.
  parseConfigText(text, { file });
  try {
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UsageError(`${options.file} is there already; --force writes over it`, { cause: error });
  }
  io.out(`wrote ${options.file}`);
  if (given.length === 0) io.out(`put your backends in the place of ${SOME_BACKEND}, then:`);
  io.out(`  usher check ${options.file}\n  usher run --config ${options.file}`);
  return EXIT_OK;
};

function configOf(pool: string, backends: readonly string[]): string {
  const rows = backends.map((text, index) => backendRow(text, `${pool}-${index + 1}`));
  return `# What is not here has its default: \`usher generate-config\` prints them all, \`usher check FILE\` names every fault.
listen:
  - "0.0.0.0:8080"

pools:
  ${JSON.stringify(pool)}:
    # Of two backends by chance, the one with fewer requests under way.
    strategy: p2c
    # A backend gets requests while it accepts connections. With { type: http, path: /healthz } it must answer with 2xx.
    health: { type: tcp, interval: 5s }
    backends:
${rows.join('\n')}

routes:
  - { path: "/*", pool: ${JSON.stringify(pool)} }

# Where \`usher status\` and the other commands ask. Another address than a loopback one needs tokens: \`usher token create\`.
admin: { address: "127.0.0.1:9091" }
metrics: { address: "127.0.0.1:9090" }

# The event log, when no NATS is named with \`bus\`.
data: ./data
`;
}

/** `ID=URL`, or a URL that gets an id. */
function backendRow(text: string, unnamed: string): string {
  const [, id = unnamed, url = ''] = /^(?:([^=/:]*)=)?(.*)$/s.exec(text) ?? [];
  return `      - { id: ${JSON.stringify(id)}, url: ${JSON.stringify(url)} }`;
}
