import type { StoreSettings } from '@usher/config';
import type { Clock } from '@usher/ports';
import { examineRedis, type RedisExamination } from '@usher/state-store';
import { judgeClock } from './clocks.ts';
import { type Finding, findingsAbout } from './finding.ts';

/** The oldest that has what the store uses. */
const MAJOR_MIN = 6;
/** From this share of its memory on there is little time left to do something about it. */
const FULL_RATIO = 0.9;

const { ok, warning, error } = findingsAbout('redis');

export async function lookAtRedis(store: StoreSettings, clock: Clock): Promise<Finding[]> {
  if (store.type === 'embedded') return [];
  const where = placeOf(store.url);
  try {
    return judge(where, await examineRedis(store.url, clock));
  } catch (cause) {
    const message = `cannot be used at ${where}: ${(cause as Error).message}`;
    return [
      error(message, 'start it, or mend store; until then gateways reserve and keep sessions by themselves'),
    ];
  }
}

function judge(where: string, facts: RedisExamination): Finding[] {
  const { version, clock, memoryBytesMax, memoryBytesUsed, unfitPolicy, keepsAll, failing, replica } = facts;
  const findings = [ok(`version ${version} answers at ${where}`), judgeClock('Redis', clock)];
  if (Number.parseInt(version, 10) < MAJOR_MIN)
    findings.push(error(`version ${version} is too old`, `replace it by version ${MAJOR_MIN} or newer`));
  if (replica) findings.push(error('it is a replica, which takes no writes', 'name the primary with store'));
  for (const what of facts.refused) findings.push(error(what, 'grant the command to the user, see ACL LIST'));
  if (unfitPolicy !== undefined) {
    const message = `maxmemory-policy is ${unfitPolicy}: when its memory is full it may refuse everything or forget reservations`;
    findings.push(warning(message, 'set maxmemory-policy to volatile-ttl: then only sessions go'));
  }
  if (memoryBytesMax > 0 && memoryBytesUsed > FULL_RATIO * memoryBytesMax) {
    const share = Math.round((100 * memoryBytesUsed) / memoryBytesMax);
    findings.push(warning(`its memory is full to ${share} %`, 'raise maxmemory'));
  }
  for (const what of failing)
    findings.push(
      error(`it cannot write ${what}`, 'look at its log and its disk; it refuses writes until it can'),
    );
  findings.push(
    ok(
      keepsAll
        ? 'it keeps over its restart what it has'
        : 'over its restart it may lose what it has: gateways then tell it their reservations anew, and sessions by header or address begin anew',
    ),
  );
  return findings;
}

/** Without the password. */
function placeOf(url: string): string {
  const { host = '', pathname = '' } = URL.parse(url) ?? {};
  return host === '' ? pathname || url : host;
}
