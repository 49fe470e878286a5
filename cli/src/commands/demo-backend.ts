import { createServer } from 'node:http';
import { wholeOption } from '../arguments.ts';
import { EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/running.ts';

const PORT_MAX = 65_535;

/** A backend to try things on: it says who it is. */
export const demoBackend: Run<typeof verbs.demoBackend> = async ({ options }) => {
  const port = wholeOption('port', options.port, PORT_MAX);
  const { name, host } = options;
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('x-demo-backend', name);
    response.end(`hello from ${name}\n`);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // A parent that dies without a word closes the channel.
    process.once('disconnect', resolve);
    process.once('SIGTERM', resolve);
    server.listen(port, host, () => process.send?.('listening'));
  });
  server.close();
  server.closeAllConnections();
  return EXIT_OK;
};
