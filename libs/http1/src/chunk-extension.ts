import { BYTE, CHAR, CLASS_OF } from './chars.ts';

/**
 * Where in `*( BWS ";" BWS name [ BWS "=" BWS value ] )` a scan is (RFC 9112 section 7.1.1). `gap`: a blank behind the
 * size or a value, after which only another extension may follow.
 */
export type ExtensionState =
  | 'gap'
  | 'beforeName'
  | 'name'
  | 'afterName'
  | 'beforeValue'
  | 'token'
  | 'quoted'
  | 'escape'
  | 'afterQuoted';

/** The state behind `byte`; `end` at the CR behind a complete extension; undefined where the grammar has no such byte. */
export function nextExtensionState(state: ExtensionState, byte: number): ExtensionState | 'end' | undefined {
  const classes = CLASS_OF[byte]!;
  const isBlank = byte === BYTE.space || byte === BYTE.tab;
  const isToken = (classes & CHAR.token) !== 0;
  switch (state) {
    case 'gap':
      if (isBlank) return 'gap';
      return byte === BYTE.semicolon ? 'beforeName' : undefined;
    case 'beforeName':
      if (isBlank) return 'beforeName';
      return isToken ? 'name' : undefined;
    case 'name':
      if (isToken) return 'name';
      if (isBlank) return 'afterName';
      return byte === BYTE.equals ? 'beforeValue' : behindOne(byte);
    case 'afterName':
      if (isBlank) return 'afterName';
      if (byte === BYTE.equals) return 'beforeValue';
      return byte === BYTE.semicolon ? 'beforeName' : undefined;
    case 'beforeValue':
      if (isBlank) return 'beforeValue';
      if (byte === BYTE.quote) return 'quoted';
      return isToken ? 'token' : undefined;
    case 'token':
      if (isToken) return 'token';
      return isBlank ? 'gap' : behindOne(byte);
    case 'quoted':
      if (byte === BYTE.quote) return 'afterQuoted';
      if (byte === BYTE.backslash) return 'escape';
      return (classes & CHAR.value) === 0 ? undefined : 'quoted';
    case 'escape':
      return (classes & CHAR.value) === 0 ? undefined : 'quoted';
    case 'afterQuoted':
      return isBlank ? 'gap' : behindOne(byte);
  }
}

function behindOne(byte: number): 'beforeName' | 'end' | undefined {
  if (byte === BYTE.semicolon) return 'beforeName';
  return byte === BYTE.cr ? 'end' : undefined;
}
