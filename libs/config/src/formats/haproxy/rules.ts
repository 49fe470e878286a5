import type { Place } from '../../fault.ts';
import { type Acls, type Condition, type Literal, parseCondition } from './conditions.ts';
import { covers, type Match, matchOf, type Spot } from './places.ts';
import type { Line, Section, Word } from './sections.ts';

/** What a section does with requests or answers, under a condition. */
export interface Rule {
  /** `http-request deny`, as the table has it. */
  readonly name: string;
  readonly args: readonly Word[];
  readonly at: Place;
  readonly condition: Condition;
  /** `unless`. */
  readonly reversed: boolean;
}

/** How requests come to a section. */
export type Transport = 'tls' | 'plain' | 'both';

const KEYWORDS = new Set(['http-request', 'http-response', 'http-after-response', 'tcp-request', 'redirect']);
const ALWAYS: Condition = [[]];

/** The rules of a section in the order in which they count: those of connections, of requests, and old ones that redirect. */
export function rulesOf(section: Section, acls: Acls): readonly Rule[] {
  const lines = [...section.defaults, ...section.lines].filter(({ keyword }) => KEYWORDS.has(keyword));
  const first = lines.filter(({ keyword }) => keyword === 'tcp-request');
  const last = lines.filter(({ keyword }) => keyword === 'redirect');
  const others = lines.filter((line) => !first.includes(line) && !last.includes(line));
  return [...first, ...others, ...last].map((line) => ruleOf(line, acls));
}

function ruleOf({ keyword, args, at }: Line, acls: Acls): Rule {
  const words = args.map(({ text }) => text);
  const end = words.findIndex((text) => text === 'if' || text === 'unless');
  const condition = end === -1 ? ALWAYS : parseCondition(args.slice(end + 1), acls);
  const kept = args.slice(0, end === -1 ? args.length : end);
  // What belongs to the action is in the name: `tcp-request connection reject`.
  const actionLength = keyword === 'redirect' ? 0 : keyword === 'tcp-request' ? 2 : 1;
  const name = [keyword, ...kept.slice(0, actionLength).map(({ text }) => text)].join(' ');
  return { name, args: kept.slice(actionLength), at, condition, reversed: words[end] === 'unless' };
}

/** The hosts and paths that rules ask for. */
export function matchesOf(rules: readonly Rule[]): readonly Match[] {
  return rules.flatMap(({ condition }) =>
    condition.flat().flatMap(({ test }) => (test.kind === 'place' ? test.any : [])),
  );
}

/** Whether a rule is about some hosts or paths alone. */
export function isPlaced({ condition, reversed }: Rule): boolean {
  return (
    !reversed &&
    condition.every((line) => line.some(({ test, negated }) => test.kind === 'place' && !negated))
  );
}

/** What a rule still asks of requests that are known to be at a place; without a line it is never met, by an empty one always. */
export function askedAt(rule: Rule, spot: Spot, transport: Transport): Condition {
  const lines = rule.condition.flatMap((line) => {
    const left: Literal[] = [];
    for (const literal of line) {
      const known = answerOf(literal, spot, transport);
      if (known === undefined) left.push(literal);
      else if (known === literal.negated) return [];
    }
    return [left];
  });
  return rule.reversed ? opposite(lines) : lines;
}

function answerOf({ test }: Literal, spot: Spot, transport: Transport): boolean | undefined {
  if (test.kind === 'place') return test.any.some((match) => covers(match, matchOf(spot)));
  return test.kind === 'tls' && transport !== 'both' ? transport === 'tls' : undefined;
}

function opposite(lines: Condition): Condition {
  if (lines.some((line) => line.length === 0)) return [];
  if (lines.length === 1) return lines[0]!.map((literal) => [reversed(literal)]);
  if (lines.every((line) => line.length === 1)) return [lines.flat().map(reversed)];
  return [[{ test: { kind: 'unknown' }, negated: false }]];
}

function reversed({ test, negated }: Literal): Literal {
  return { test, negated: !negated };
}

export function isAlways(asked: Condition): boolean {
  return asked.some((line) => line.length === 0);
}
