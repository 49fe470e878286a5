import { EXIT_OK, type Run } from '../io.ts';
import { bashCompletion } from '../verbs/completion/bash.ts';
import { fishCompletion } from '../verbs/completion/fish.ts';
import { zshCompletion } from '../verbs/completion/zsh.ts';
import type * as offline from '../verbs/offline.ts';
import type { Verb } from '../verbs/verb.ts';

const SHELLS: Readonly<Record<string, (verbs: readonly Verb[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Completes these verbs. */
export function completionOf(verbs: readonly Verb[]): Run<typeof offline.completion> {
  return async ({ arguments: { SHELL } }, io) => {
    const script = SHELLS[SHELL]?.(verbs) ?? '';
    io.out(script.trimEnd());
    return EXIT_OK;
  };
}
