import { UsherError } from '@usher/domain';

/** Waits for a server to listen; when it cannot, says by which key of the configuration it was told to. */
export async function listening<T>(
  key: string,
  { host, port }: { readonly host: string; readonly port: number },
  server: Promise<T>,
): Promise<T> {
  try {
    return await server;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'listen' || code === undefined) throw error;
    const cause = listenFault(code);
    throw new UsherError('conflict', `${key}: cannot listen on ${host}:${port}: ${cause}`, { cause: error });
  }
}

/** Why listening failed and what to do, by the code of the error. */
export function listenFault(code: string): string {
  return CAUSES[code] ?? `it fails with ${code}`;
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there; stop it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not; choose a port above 1023, or grant CAP_NET_BIND_SERVICE',
};
