const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** A text, with the colon that makes it a name, or a bracket. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/**
 * The members of a JSON object in UTF-8. Undefined for anything else, and for an object in which any name is given
 * twice: of two values one reader takes the first and another the last (RFC 8725 section 2.4).
 */
export function readStrictObject(bytes: Uint8Array): ReadonlyMap<string, unknown> | undefined {
  try {
    const text = UTF8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return namesTwice(text) ? undefined : new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}

/** Whether any object in a JSON text has a name twice, however it is written. */
function namesTwice(text: string): boolean {
  // Undefined for a list.
  const open: (Set<string> | undefined)[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return true;
      names?.add(name);
    }
  }
  return false;
}
