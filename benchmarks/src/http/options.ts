import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { PROFILES, type ProfileName } from './profiles.ts';
import { PROXIES, type ProxyName } from './proxies.ts';

export interface Options {
  readonly profiles: readonly ProfileName[];
  readonly proxies: readonly ProxyName[];
  /** Length of one measurement. */
  readonly seconds: number;
  /** How often each proxy is measured with each profile. */
  readonly rounds: number;
  readonly json: boolean;
  readonly save: boolean;
}

const SECONDS_MAX = 60;
const ROUNDS_MAX = 50;

export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  return {
    profiles: choice('profile', values.profile, Object.keys(PROFILES) as ProfileName[]),
    proxies: choice('only', values.only, Object.keys(PROXIES) as ProxyName[]),
    seconds: count('seconds', values.seconds, SECONDS_MAX),
    rounds: count('rounds', values.rounds, ROUNDS_MAX),
    json: values.json,
    save: values.save,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        profile: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        seconds: { type: 'string', default: '5' },
        rounds: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Names given once, several times or with commas between them; none = all. */
function choice<N extends string>(
  flag: string,
  given: readonly string[] | undefined,
  all: readonly N[],
): readonly N[] {
  const wanted = given?.flatMap((each) => each.split(',')) ?? all;
  const unknown = wanted.find((name) => !(all as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`--${flag} ${unknown}: there are ${all.join(', ')}`);
  return all.filter((name) => wanted.includes(name));
}

function count(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new UsageError(`--${flag} takes a whole number from 1 to ${max}, not ${text}`);
}
