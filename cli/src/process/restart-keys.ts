import { isDeepStrictEqual } from 'node:util';
import type { LocalSettings } from '@usher/config';

/** What of them a running process takes up; addresses and TLS of servers it does not. */
export function liveSettings({ listen, admin, opsen }: LocalSettings) {
  const { tokens, jwt, allow, deny } = admin ?? {};
  return { listen, tokens, jwt, allow, deny, keys: opsen?.keys };
}

/** The rest. */
function fixedSettings({ listen: _listen, admin, opsen, ...others }: LocalSettings): object {
  const { tokens: _tokens, jwt: _jwt, allow: _allow, deny: _deny, ...ofAdmin } = admin ?? {};
  const { keys: _keys, ...ofOpsen } = opsen ?? {};
  return { ...others, admin: admin && ofAdmin, opsen: opsen && ofOpsen };
}

/** Settings of a process with which it would have to start again, because they are others than it started with. */
export function restartKeys(started: LocalSettings, now: LocalSettings): string[] {
  const before = new Map<string, unknown>(Object.entries(fixedSettings(started)));
  const after = new Map<string, unknown>(Object.entries(fixedSettings(now)));
  return [...new Set([...after.keys(), ...before.keys()])].filter(
    (key) => !isDeepStrictEqual(after.get(key), before.get(key)),
  );
}
