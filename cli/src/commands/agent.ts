import { isIP } from 'node:net';
import path from 'node:path';
import { type AgentOptions, type Registration, startAgent } from '@usher/agent';
import type { Place } from '@usher/domain';
import type { Clock, Log } from '@usher/ports';
import { createLog, onStopSignals, systemClock, systemRandom } from '@usher/runtime';
import { httpUrlOption, numberOption, placeOption } from '../arguments.ts';
import { EXIT_OK, type Io, type Run, UsageError } from '../io.ts';
import { placeOfMachine } from '../place-of-machine.ts';
import { secretOf } from '../secret-option.ts';
import { readPem } from '../trust.ts';
import type * as verbs from '../verbs/running.ts';
import type { Given } from '../verbs/verb.ts';

type Values = Given<typeof verbs.agent>['options'];

/** Reports the resources of the machine it runs on as those of one backend. */
export const agent: Run<typeof verbs.agent> = async ({ options: values }, io) => {
  const { backend, disk, cgroup } = values;
  if ((values.nats === undefined) === (values.url === undefined))
    throw new UsageError('give either --nats or --url');
  if (values.url !== undefined) httpUrlOption('url', values.url);
  const declared = registrationOf(values);
  const clock = systemClock();
  const log = createLog({ level: 'info', format: 'text', clock });
  const stopped = new Promise<string>((resolve) => onStopSignals(resolve));
  const opened = await open(backend, values, { clock, log, io });
  const registration = declared && { ...declared, ...(await placed(values, log)) };
  const sources = { disk, cgroup };
  const running = startAgent({
    id: backend,
    target: opened.target,
    registration,
    clock,
    random: systemRandom(),
    log,
    sources,
  });
  await stopped;
  await running.stop();
  await opened.close();
  log.close();
  return EXIT_OK;
};

interface Opened {
  readonly target: AgentOptions['target'];
  close(): Promise<void>;
}

async function open(
  backend: string,
  { url, token, ca, nats = '', credentials }: Values,
  { clock, log, io }: { readonly clock: Clock; readonly log: Log; readonly io: Io },
): Promise<Opened> {
  if (url !== undefined) {
    const secret = token === undefined ? undefined : secretOf(token, io);
    const trusted = ca === undefined ? undefined : readPem('ca', ca, io);
    return { target: { url, token: secret, ca: trusted }, close: async () => undefined };
  }
  // An agent that reports over HTTP need not load it.
  const { openNatsBus } = await import('@usher/event-log');
  const name = `agent-${backend}`;
  const trusted = ca === undefined ? undefined : path.resolve(io.cwd, ca);
  const opened = await openNatsBus({ servers: nats.split(','), credentials, ca: trusted, name, log, clock });
  return { target: { bus: opened.bus }, close: () => opened.close() };
}

/** Undefined without `--register`, with which the others make sense only. */
function registrationOf(values: Values): Registration | undefined {
  const { register, pool, weight, zone, place, geoip, 'public-address': address } = values;
  if (register === undefined) {
    const others = { pool, weight, zone, place, geoip, 'public-address': address };
    const idle = Object.entries(others).find(([, value]) => value !== undefined);
    if (idle !== undefined) throw new UsageError(`--${idle[0]} is for --register`);
    return undefined;
  }
  if (pool === undefined) throw new UsageError('--register needs --pool');
  if (place !== undefined && geoip !== undefined) throw new UsageError('give either --place or --geoip');
  if (address !== undefined && geoip === undefined) throw new UsageError('--public-address is for --geoip');
  if (address !== undefined && isIP(address) === 0)
    throw new UsageError(`--public-address takes an IP address, not ${address}`);
  const at = place === undefined ? {} : { place: placeOption('place', place) };
  const where = zone === undefined ? {} : { zone };
  return { pool, url: register, weight: numberOption('weight', weight) ?? 1, ...where, ...at };
}

/** Where this machine is by its public address, if that is asked for and can be found out. */
async function placed({ geoip, 'public-address': address }: Values, log: Log): Promise<{ place?: Place }> {
  if (geoip === undefined) return {};
  try {
    const place = await placeOfMachine(geoip, address);
    log.info('the place of this machine was found by its address', { ...place });
    return { place };
  } catch (error) {
    log.warn('the place of this machine is not known', { cause: (error as Error).message });
    return {};
  }
}
