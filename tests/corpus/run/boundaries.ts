/** Cases up to this length are split at every byte. */
const WHOLE_BYTES_MAX = 500;
const LINES_AT_EACH_END = 4;
const REACH = 3;
const STRIDE = 97;

/**
 * Where to split `raw`: everywhere, or in a long one around its first and last line ends, in all of its last bytes,
 * and now and then between.
 */
export function boundariesOf(raw: string): number[] {
  const all = Array.from({ length: raw.length }, (_, at) => at + 1);
  if (raw.length <= WHOLE_BYTES_MAX) return all;
  const ends = [...raw.matchAll(/\r\n/g)].map(({ index }) => index);
  const structural = [...ends.slice(0, LINES_AT_EACH_END), ...ends.slice(-LINES_AT_EACH_END), raw.length];
  return all.filter((at) => at % STRIDE === 0 || structural.some((end) => Math.abs(at - end) <= REACH));
}
