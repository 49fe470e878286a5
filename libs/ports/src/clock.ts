/** Time, as a port: nothing that decides or is folded reads it elsewhere. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Whoever sets the machine's clock changes it, back or forward. */
  now(): number;
  /** Milliseconds since an instant of its own, which nobody sets: how long something takes or lasts within this process. */
  steady(): number;
  /** Calls back once after `ms`. */
  after(ms: number, callback: () => void): Timer;
  /** Calls back every `ms`, first after `ms`. */
  every(ms: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** What another clock said, with when it was asked and when its answer was here by ours; all in milliseconds since the Unix epoch. */
export interface ClockReading {
  readonly askedMs: number;
  readonly theirMs: number;
  readonly answeredMs: number;
}

/** Chance, as a port. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A UUIDv7 (RFC 9562 section 5.7); increasing within a process. */
  uuid(): string;
}
