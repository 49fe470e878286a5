/** Requests that all gateways may let through together: a bucket for each limit and client. */
export interface RateBuckets {
  /** Takes up to `wanted` requests out of a bucket, or as many as there are. One that nobody has taken from is full. */
  take(bucket: RateBucket, wanted: number): Promise<RateTaken>;
  /** Puts back what was taken and not used. */
  give(bucket: RateBucket, unused: number): Promise<void>;
}

export interface RateBucket {
  readonly id: string;
  /** In which one request comes back; with fractions. */
  readonly intervalMs: number;
  readonly burst: number;
}

export interface RateTaken {
  readonly taken: number;
  /** What is left of it. */
  readonly left: number;
  /** How long until one more can be taken; 0 = at once. */
  readonly nextMs: number;
}
