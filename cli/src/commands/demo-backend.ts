import { createServer } from 'node:http';
import { parse, wholeOption } from '../arguments.ts';
import { type CliCommand, EXIT_OK, UsageError } from '../io.ts';

const PORT_MAX = 65_535;

/** A backend to try things on: it says who it is. */
export const demoBackend: CliCommand = {
  usage: 'demo-backend --port N --name NAME [--host HOST]',
  async run(args) {
    const values = parse(args, {
      port: { type: 'string' },
      name: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
    });
    const port = wholeOption('port', values.port, PORT_MAX);
    const { name, host } = values;
    if (port === undefined || name === undefined) throw new UsageError('--port and --name are needed');
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
  },
};
