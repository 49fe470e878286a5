import type { Place } from '@usher/domain';
import { UsageError } from './io.ts';

/** A whole number given as an option, at most `max`; undefined when it was not given. */
export function wholeOption(name: string, text: string, max?: number): number;
export function wholeOption(name: string, text: string | undefined, max?: number): number | undefined;
export function wholeOption(
  name: string,
  text: string | undefined,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && (!Number.isInteger(value) || value > max)) {
    throw new UsageError(`--${name} takes a whole number from 0 to ${max}, not ${text}`);
  }
  return value;
}

/** A place given as an option, in degrees; undefined when it was not. */
export function placeOption(name: string, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [latitude, longitude, ...more] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const known = more.length === 0 && latitude !== undefined && longitude !== undefined;
  if (known && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude };
  throw new UsageError(`--${name} takes degrees such as 52.52,13.40 or =-33.87,151.21, not ${text}`);
}

/** A URL of HTTP given as an option. */
export function httpUrlOption(name: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`--${name} takes a URL such as http://127.0.0.1:9091, not ${text}`);
  }
  return text;
}

/** A number given as an option; undefined when it was not. */
export function numberOption(name: string, text: string): number;
export function numberOption(name: string, text: string | undefined): number | undefined;
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new UsageError(`--${name} takes a number that is not negative, not ${text}`);
  }
  return value;
}
