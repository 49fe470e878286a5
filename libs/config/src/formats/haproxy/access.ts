import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { Refusal } from '../../types/type.ts';
import { map, series, value, values } from '../draft.ts';
import { networkOf } from '../ip-lists.ts';
import type { Remarks } from '../remarks.ts';
import type { Literal } from './conditions.ts';
import type { Spot } from './places.ts';
import { askedAt, isAlways, isPlaced, matchesOf, type Rule, type Transport } from './rules.ts';
import { LETS_IN } from './table.ts';

const DENIES = new Set([
  'http-request deny',
  'http-request tarpit',
  'http-request reject',
  'http-request silent-drop',
  'tcp-request connection reject',
]);
/** What asks who somebody is, and turns others away. */
const ASKS = 'http-request auth';
const ALLOWS = 'http-request allow';
const CONNECTIONS = 'tcp-request connection ';
const EVERYBODY = ['0.0.0.0/0', '::/0'];
const FORBIDDEN = '403';

/** Who is turned away at a place: `clients` of its route. In HAProxy the first rule that is met counts. */
export function clientsAt(
  rules: readonly Rule[],
  spot: Spot,
  transport: Transport,
  remarks: Remarks,
): Input | undefined {
  const lists = new Lists();
  for (const rule of rules) {
    const asked = askedAt(rule, spot, transport);
    if (rule.name === ALLOWS) {
      if (isAlways(asked)) break;
      for (const line of asked)
        if (!lists.pass(networksOf(line, false))) remarks.lost(rule.name, rule.at, PASSED);
    } else if (DENIES.has(rule.name) || rule.name === ASKS) {
      if (asked.length > 0) remarkOnDenial(rule, remarks);
      const isSaid = rule.name !== ASKS && asked.every((line) => lists.deny(line));
      if (isSaid && isAlways(asked)) break;
      if (asked.length === 0 || isSaid) continue;
      if (!isPlaced(rule)) remarks.open(rule.name, rule.at, LETS_IN);
      else {
        remarks.changed(rule.name, rule.at, CLOSED);
        return everybody(rule.at);
      }
    } else if (rule.name.startsWith(CONNECTIONS)) remarks.open(rule.name, rule.at, LETS_IN);
  }
  return lists.input(rules[0]?.at);
}

const PASSED = 'only addresses can be let in before rules that turn away';
const CLOSED = 'it kept some out of these hosts and paths, so everybody is: they are answered with 403';

function everybody(at: Place): Input {
  return map({ deny: values(EVERYBODY, at) }, at);
}

function remarkOnDenial(rule: Rule, remarks: Remarks): void {
  const { name, args, at } = rule;
  const status = args.findIndex(({ text }) => text === 'deny_status' || text === 'status');
  const code = name === 'http-request deny' ? (args[status + 1]?.text ?? '') : name;
  const isOther = name === 'http-request deny' ? status !== -1 && code !== FORBIDDEN : name !== ASKS;
  if (isOther) remarks.changed(name, at, `who is turned away gets ${FORBIDDEN}`);
  const loose = matchesOf([rule]).find(({ meantMore }) => meantMore === true);
  if (loose?.path === undefined) return;
  const bare = loose.path.slice(0, -2);
  remarks.open(name, at, `${bare} and what is below it, by whole segments; ${bare}x is no longer meant`);
}

/** The addresses of a line of a condition that asks for nothing else; undefined when it does. */
function networksOf(line: readonly Literal[], negated: boolean): readonly Input[] | undefined {
  const networks: Input[] = [];
  for (const { test, negated: reversed } of line) {
    if (test.kind !== 'client' || reversed !== negated) return undefined;
    for (const { text, at } of test.networks) {
      const network = networkOf(text);
      if (network instanceof Refusal) return undefined;
      networks.push(value(network, at));
    }
  }
  // Two lists of addresses at once are those that are in both.
  return !negated && line.length > 1 ? undefined : networks;
}

/** Rules in their order as two lists of which denying wins. */
class Lists {
  /** Undefined = all that are not denied. */
  #allowed: Input[] | undefined;
  readonly #denied: Input[] = [];
  /** Whom no later rule keeps out. */
  readonly #passed: Input[] = [];

  /** Whether it could be said. */
  pass(networks: readonly Input[] | undefined): boolean {
    if (networks === undefined || this.#allowed !== undefined) return false;
    this.#passed.push(...networks);
    return true;
  }

  deny(line: readonly Literal[]): boolean {
    const hasPassed = this.#passed.length > 0;
    if (line.length > 0) {
      const denied = networksOf(line, false);
      if (denied !== undefined && !hasPassed) {
        this.#denied.push(...denied);
        return true;
      }
    }
    const but = networksOf(line, true);
    if (but === undefined || this.#allowed !== undefined) return false;
    const kept = [...this.#passed, ...but];
    if (kept.length > 0) this.#allowed = kept;
    else this.#denied.push(...EVERYBODY.map((network) => value(network)));
    return true;
  }

  input(at: Place | undefined): Input | undefined {
    if (this.#allowed === undefined && this.#denied.length === 0) return undefined;
    return map(
      {
        allow: this.#allowed === undefined ? undefined : series(this.#allowed),
        deny: this.#denied.length === 0 ? undefined : series(this.#denied),
      },
      at,
    );
  }
}
