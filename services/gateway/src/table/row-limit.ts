/** A backend's `maxConnections`, with what the workers share to keep it. */
export interface RowLimit {
  readonly max: number;
  readonly cells: SharedArrayBuffer;
  /** Of the pool's line. */
  readonly line: SharedArrayBuffer;
}
