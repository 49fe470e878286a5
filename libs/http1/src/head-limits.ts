/** Bounds on one head. */
export interface HeadLimits {
  /** Bytes from the first byte to the blank line, both included. */
  readonly headerBytes: number;
  readonly headerCount: number;
}
