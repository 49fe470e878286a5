/** How many requests a backend may have, with what the workers share to keep it. */
export interface RowLimit {
  readonly max: number;
  /** It may be less, as the cells say. */
  readonly adaptive: boolean;
  readonly cells: SharedArrayBuffer;
  /** Of the pool's line. */
  readonly line: SharedArrayBuffer;
}
