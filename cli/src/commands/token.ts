import { randomBytes } from 'node:crypto';
import { ID_PATTERN } from '@usher/events';
import { EXIT_OK, type Run, UsageError } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';

/** 256 bits: nobody guesses that, however fast they ask. */
const SECRET_BYTES = 32;

/** Makes a secret and says where it belongs. Nothing is stored. */
export const tokenCreate: Run<typeof verbs.tokenCreate> = async ({ options }, io) => {
  const { role, backend } = options;
  const name = options.name ?? backend ?? role;
  if (role === 'agent' && backend === undefined)
    throw new UsageError('a token with the role agent needs --backend, the one that it speaks for');
  if (role !== 'agent' && backend !== undefined) throw new UsageError('--backend is for --role agent');
  for (const [option, id] of Object.entries({ name, backend })) {
    if (id !== undefined && !ID_PATTERN.test(id))
      throw new UsageError(`--${option} takes up to 63 letters, digits, - and _, not ${id}`);
  }
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const variable = `USHER_TOKEN_${name.toUpperCase().replaceAll('-', '_')}`;
  const about = backend === undefined ? '' : `, backend: "${backend}"`;
  const lines = [
    'admin:',
    '  tokens:',
    `    - { name: "${name}", role: ${role}${about}, secret: "env:${variable}" }`,
  ];
  if (options.json) {
    io.out(JSON.stringify({ name, role, backend, secret, variable, config: lines.join('\n') }));
    return EXIT_OK;
  }
  io.out(`${variable}=${secret}`);
  io.out(
    '\nThe token is shown this once. Put it into the environment of Usher, and into its configuration:\n',
  );
  for (const line of lines) io.out(`  ${line}`);
  return EXIT_OK;
};
