const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Mixes all bits of a number into all bits of the result, 32 bits unsigned: the end of MurmurHash3. */
export function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Hash of `text[start..end)`, 32 bits unsigned: FNV-1a over its UTF-16 code units, mixed. It is the same in every process
 * and on every machine, so gateways agree. Not for secrets.
 */
export function hashOf(text: string, start = 0, end = text.length, seed = FNV_BASIS): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return mix(hash);
}
