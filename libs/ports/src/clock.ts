/** Time, as a port: nothing that decides or is folded reads it elsewhere. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls back once after `ms`. */
  after(ms: number, callback: () => void): Timer;
  /** Calls back every `ms`, first after `ms`. */
  every(ms: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Chance, as a port. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A UUIDv7 (RFC 9562 section 5.7); increasing within a process. */
  uuid(): string;
}
