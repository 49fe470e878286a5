import { REQUEST_THEMES } from '../corpus/requests/index.ts';
import { RESPONSE_THEMES } from '../corpus/responses/index.ts';
import { Chance } from './chance.ts';
import { chunkedRequestText, requestText, responseText } from './grammar.ts';
import { mutate } from './mutate.ts';
import type { Kind } from './our-reader.ts';

/** One input of the fuzzer, wholly given by its seed. */
export interface Input {
  readonly seed: number;
  readonly kind: Kind;
  readonly text: string;
  /** Where the second of two pieces begins. */
  readonly splitAt: number;
  /** The connection ends behind it. */
  readonly ends: boolean;
}

/** Longer ones are about limits, which differ anyway. */
const CORPUS_BYTES_MAX = 600;

const rawOf = (themes: Readonly<Record<string, readonly { readonly raw: string }[]>>): readonly string[] =>
  Object.values(themes).flatMap((cases) =>
    cases.map(({ raw }) => raw).filter((raw) => raw.length <= CORPUS_BYTES_MAX),
  );

const REQUESTS = rawOf(REQUEST_THEMES);
const RESPONSES = rawOf(RESPONSE_THEMES);

export function inputOf(seed: number): Input {
  const chance = new Chance(seed);
  const kind = kindOf(chance);
  const text = kind === 'requests' ? someRequest(chance) : someResponse(chance);
  return { seed, kind, text, splitAt: chance.below(text.length + 1), ends: chance.oneIn(2) };
}

function kindOf(chance: Chance): Kind {
  if (!chance.oneIn(3)) return 'requests';
  return chance.oneIn(5) ? 'response to HEAD' : 'response to GET';
}

function someRequest(chance: Chance): string {
  const fresh = chance.oneIn(3) ? chunkedRequestText(chance) : requestText(chance);
  return vary(chance, fresh, REQUESTS);
}

function someResponse(chance: Chance): string {
  return vary(chance, responseText(chance), RESPONSES);
}

/** As it is, with small changes, or a case of the corpus with small changes. */
function vary(chance: Chance, fresh: string, corpus: readonly string[]): string {
  switch (chance.below(6)) {
    case 0:
      return mutate(chance, chance.pick(corpus), fresh);
    case 1:
    case 2:
      return mutate(chance, fresh, chance.pick(corpus));
    default:
      return fresh;
  }
}
