import type { Log, LogFields } from '@usher/ports';
import type { FromWorker } from './protocol.ts';

type Level = Extract<FromWorker, { kind: 'log' }>['level'];

/** A log that the control thread writes. */
export class PortLog implements Log {
  readonly #post: (message: FromWorker) => void;
  readonly #fields: LogFields;

  constructor(post: (message: FromWorker) => void, fields: LogFields = {}) {
    this.#post = post;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#send('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#send('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#send('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#send('error', message, fields);
  }

  child(fields: LogFields): Log {
    return new PortLog(this.#post, { ...this.#fields, ...fields });
  }

  #send(level: Level, message: string, fields: LogFields = {}): void {
    this.#post({ kind: 'log', level, message, fields: { ...this.#fields, ...fields } });
  }
}
