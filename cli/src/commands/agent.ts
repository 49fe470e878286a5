import { startAgent } from '@usher/agent';
import { openJetStream } from '@usher/event-log';
import { createLog, onStopSignals, systemClock, systemRandom } from '@usher/runtime';
import { httpUrlOption, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK, UsageError } from '../io.ts';

/** Reports the resources of the machine it runs on as those of one backend. */
export const agent: CliCommand = {
  usage: 'agent --backend ID (--nats URL [--credentials FILE] | --url URL [--token T])',
  async run(args) {
    const values = parse(args, {
      backend: { type: 'string' },
      nats: { type: 'string' },
      credentials: { type: 'string' },
      url: { type: 'string' },
      token: { type: 'string' },
    });
    const { backend, nats, url, credentials, token } = values;
    if (backend === undefined) throw new UsageError('--backend is needed');
    if ((nats === undefined) === (url === undefined)) throw new UsageError('give either --nats or --url');
    if (url !== undefined) httpUrlOption('url', url);
    const clock = systemClock();
    const random = systemRandom();
    const log = createLog({ level: 'info', format: 'text', clock });
    const stopped = new Promise<string>((resolve) => onStopSignals(resolve));
    const opened =
      nats === undefined
        ? undefined
        : await openJetStream({
            servers: nats.split(','),
            credentials,
            name: `agent-${backend}`,
            log,
            clock,
          });
    const target = opened === undefined ? { url: url ?? '', token } : { bus: opened.bus };
    const running = startAgent({ id: backend, target, clock, random, log });
    await stopped;
    await running.stop();
    await opened?.close();
    log.close();
    return EXIT_OK;
  },
};
