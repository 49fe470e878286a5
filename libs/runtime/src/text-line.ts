import type { LogFields } from '@usher/ports';

/** Whatever would let a value look like another field or another line. */
const NEEDS_QUOTES = /[\s"=\\\p{Cc}]/u;
const CONTROL = /\p{Cc}/gu;

/** One line for people, in the machine's own time zone: `12:03:04.123 info  message key=value`. */
export function textLine(timeMs: number, level: string, message: string, fields: LogFields): string {
  let line = `${timeOfDay(timeMs)} ${level.padEnd(5)} ${message.replace(CONTROL, ' ')}`;
  let stack = '';
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (isPlainError(value)) {
      line += ` ${key}=${printed(value.message)}`;
      stack += indentedStack(value.stack);
    } else {
      line += ` ${key}=${printed(value)}`;
    }
  }
  return `${line}\n${stack}`;
}

function timeOfDay(timeMs: number): string {
  const date = new Date(timeMs);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part, 2)).join(':');
  return `${clock}.${pad(date.getMilliseconds(), 3)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function printed(value: unknown): string {
  if (typeof value === 'string' && value !== '' && !NEEDS_QUOTES.test(value)) return value;
  return (JSON.stringify(value) ?? String(value)).replace(CONTROL, ' ');
}

function isPlainError(value: unknown): value is { message: string; stack: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string';
}

/** The frames of a stack without its first line, which only repeats the message. */
function indentedStack(stack: string): string {
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '));
  return frames.map((frame) => `    ${frame.trim().replace(CONTROL, ' ')}\n`).join('');
}
