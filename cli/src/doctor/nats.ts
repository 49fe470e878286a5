import type { BusSettings, UsherConfig } from '@usher/config';
import { examineNats, type NatsExamination, type NatsRights } from '@usher/event-log';
import {
  AGENTS_PREFIX,
  COMMANDS_PREFIX,
  CONTROL_SUBJECT,
  eventSubject,
  IN_FLIGHT_PREFIX,
  ROUTE_PREFIX,
  STATS_PREFIX,
  STICKY_PREFIX,
} from '@usher/events';
import type { Clock } from '@usher/ports';
import type { ServiceName } from '../process/service-names.ts';
import { judgeClock, judgeWriters } from './clocks.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { ok, warning, error } = findingsAbout('nats');

export interface NatsQuestion {
  readonly bus: BusSettings;
  readonly config: UsherConfig;
  readonly services: readonly ServiceName[];
  readonly clock: Clock;
}

export async function lookAtNats({ bus, config, services, clock }: NatsQuestion): Promise<Finding[]> {
  if (bus.type === 'embedded') return [];
  const { name } = config.local;
  const { servers, credentials, ca } = bus;
  try {
    const rights = rightsOf(services, name, config.shared.backends[0]?.id ?? name);
    return judge(await examineNats({ servers, credentials, ca, name, clock }, rights));
  } catch (cause) {
    const message = `cannot be used at ${servers.join(', ')}: ${(cause as Error).message}`;
    return [
      error(message, 'start it, or mend bus.servers or bus.credentials; until then nothing can be changed'),
    ];
  }
}

function judge({ server, version, durability, clock, stream, lagMs, refused }: NatsExamination): Finding[] {
  const findings = [ok(`version ${version} answers at ${server}; ${durability}`)];
  for (const what of refused)
    findings.push(error(`this user may not, or cannot, ${what}`, 'grant it in the permissions of the user'));
  if (clock !== undefined) findings.push(judgeClock('NATS', clock));
  findings.push(...judgeWriters(lagMs));
  const { loss, weaknesses = [] } = stream ?? {};
  if (loss !== undefined) findings.push(error(loss, 'see docs/event-log.md'));
  for (const weakness of weaknesses) {
    const remedy = 'mend it with `nats stream edit USHER_EVENTS`';
    findings.push(warning(`the stream of events is not kept as it should be: ${weakness}`, remedy));
  }
  return findings;
}

/** What each service does in NATS; one subject for many, as permissions are usually given. */
function rightsOf(services: readonly ServiceName[], name: string, backend: string): NatsRights {
  const of: Readonly<Record<ServiceName, NatsRights>> = {
    gateway: {
      subscribe: [ROUTE_PREFIX, `${ROUTE_PREFIX}.${name}`, `${IN_FLIGHT_PREFIX}.*`, `${STICKY_PREFIX}.*`],
      publish: [`${IN_FLIGHT_PREFIX}.${name}`, `${STICKY_PREFIX}.${name}`],
      append: [eventSubject('gateway', name)],
    },
    scheduler: { subscribe: [`${COMMANDS_PREFIX}.>`], publish: [], append: [CONTROL_SUBJECT] },
    health: { subscribe: [], publish: [], append: [eventSubject('health', backend)] },
    collector: {
      subscribe: [`${STATS_PREFIX}.>`, `${AGENTS_PREFIX}.*`],
      publish: [],
      append: [eventSubject('collector', backend)],
    },
  };
  const all = services.map((service) => of[service]);
  return {
    subscribe: all.flatMap(({ subscribe }) => subscribe),
    // The admin API is in every process: it sends commands and asks gateways.
    publish: [`${COMMANDS_PREFIX}.backend.drain`, ROUTE_PREFIX, ...all.flatMap(({ publish }) => publish)],
    append: [
      eventSubject('admin', name),
      eventSubject('process', name),
      ...all.flatMap(({ append }) => append),
    ],
  };
}
