/** Milliseconds of the units of nginx; a bare number is in seconds. */
const TIMES: Readonly<Record<string, number>> = {
  '': 1000,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `1m30s` in milliseconds; undefined when it is no time. */
export function time(text: string): number | undefined {
  if (!/^([0-9]{1,9}(ms|[smhd])?)+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(/([0-9]+)(ms|[smhd])?/g))
    ms += Number(digits) * (TIMES[unit] ?? 0);
  return ms;
}

/** `10m` in bytes; undefined when it is no size. */
export function bytes(text: string): number | undefined {
  const match = /^([0-9]{1,12})([kmg]?)$/i.exec(text);
  return match === null ? undefined : Number(match[1]) * (SIZES[match[2]!.toLowerCase()] ?? 0);
}

/** A whole number; undefined when it is none. */
export function count(text: string): number | undefined {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
