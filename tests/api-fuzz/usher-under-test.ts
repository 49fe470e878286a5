import { tempDir } from '@usher/testing';
import { UsherProcess } from '../support/usher-process.ts';

const ROLES = ['admin', 'operate', 'read', 'agent'] as const;
const secretOf = (role: string): string => `secret-of-the-${role}-role`;

export const SECRETS = ROLES.map(secretOf);

/** A whole Usher with a small fleet, whose admin API anybody with one of the tokens may call as often as they like. */
export async function startUsherUnderTest() {
  const folder = tempDir();
  const tokens = ROLES.map(
    (role) =>
      `{ name: ${role}, role: ${role}, secret: "${secretOf(role)}"${role === 'agent' ? ', backend: b3' : ''} }`,
  );
  const process = await UsherProcess.start({
    directory: folder.path,
    adminKeys: `limits: { requests_per_second: 1000000 }, tokens: [${tokens.join(', ')}]`,
    config: `logging: { level: warn }
workers: 1
pools:
  web: { health: { type: none }, backends: [{ id: b1, url: "http://127.0.0.1:9" }, { id: b2, url: "http://127.0.0.1:9" }] }
  gpu: { health: { type: none }, agents: true, tiers: [{ name: small, vcpu: 1 }], sticky: { by: cookie }, reserve: session }
  # No route needs it, so that it can be removed whatever was done before.
  fuzz: { health: { type: none } }
routes: [{ path: "/*", pool: web }, { path: "/gpu/*", pool: gpu }]
`,
  });
  return {
    process,
    async stop(): Promise<void> {
      await process.stop();
      folder.remove();
    },
  };
}
