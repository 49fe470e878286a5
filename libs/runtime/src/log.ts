import type { Clock, Log, LogFields } from '@usher/ports';
import { pino } from 'pino';
import { safeToPrint, withoutUserinfo } from './redact.ts';
import { textLine } from './text-line.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Lines are gathered up to this size, so that a burst costs few system calls. Must stay below pino's 16 KiB write. */
const BUFFER_BYTES = 8192;
/** No line waits longer than this. */
const FLUSH_MS = 100;

export interface LogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line. `text`: for people, `12:03:04.123 info  message key=value`. */
  readonly format: 'json' | 'text';
  readonly clock: Clock;
  /** Where lines go. Default: standard output, buffered. */
  readonly write?: (line: string) => void;
}

/** The process's log. Buffered lines are written in time, on an error, and when the process exits. */
export interface ProcessLog extends Log {
  /** Writes what is buffered. */
  readonly flush: () => void;
  /** Flushes, for the last time. */
  readonly close: () => void;
}

type Emit = (level: LogLevel, message: string, fields: LogFields) => void;

/** Values under names like `token` or `password` and passwords in URLs never reach the output. */
export function createLog(options: LogOptions): ProcessLog {
  const sink = options.write === undefined ? standardOutput() : unbuffered(options.write);
  const write = options.format === 'json' ? jsonEmit(options, sink.write) : textEmit(options, sink.write);
  const least = LEVELS.indexOf(options.level);
  const emit: Emit = (level, message, fields) => {
    if (LEVELS.indexOf(level) < least) return;
    write(level, withoutUserinfo(message), safeToPrint(fields) as LogFields);
    if (level === 'error') sink.flush();
  };
  return { ...bind(emit, {}), flush: sink.flush, close: sink.close };
}

function bind(emit: Emit, bound: LogFields): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    emit(level, message, fields === undefined ? bound : { ...bound, ...fields });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => bind(emit, { ...bound, ...fields }),
  };
}

function jsonEmit({ clock, level }: LogOptions, write: (line: string) => void): Emit {
  const timestamp = () => `,"time":"${new Date(clock.now()).toISOString()}"`;
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger = pino({ level, base: null, messageKey: 'message', timestamp, formatters }, { write });
  return (level, message, fields) => logger[level](fields, message);
}

function textEmit({ clock }: LogOptions, write: (line: string) => void): Emit {
  return (level, message, fields) => write(textLine(clock.now(), level, message, fields));
}

interface Sink {
  readonly write: (line: string) => void;
  readonly flush: () => void;
  readonly close: () => void;
}

function unbuffered(write: (line: string) => void): Sink {
  return { write, flush: () => {}, close: () => {} };
}

function standardOutput(): Sink {
  const stream = pino.destination({ fd: 1, sync: true, minLength: BUFFER_BYTES });
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    stream.flushSync();
  };
  process.once('exit', flush);
  return {
    write: (line) => {
      stream.write(line);
      // Only while a line waits: a flush syncs the file that standard output may be, even when there is nothing to write.
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    flush,
    close: () => {
      process.off('exit', flush);
      flush();
    },
  };
}
