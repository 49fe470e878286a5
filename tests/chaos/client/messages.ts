/** What a client does. */
export interface ClientTask {
  readonly gateways: readonly { readonly port: number; readonly healthPort: number }[];
  readonly ratePerS: number;
  readonly path: string;
  /** Longer than this without an answer, a gateway is left. */
  readonly limitMs: number;
}

/** `rest`: begin no request until `go`; it is answered when none is under way. */
export type ToClient = { readonly kind: 'rest' | 'go' };

/** One request. */
export interface Sample {
  /** When it was due, in milliseconds since the epoch. */
  readonly dueMs: number;
  /** From when it was due to the end of its answer. */
  readonly latencyMs: number;
  /** The client itself did not get the processor meanwhile: nobody can say how long the request took. */
  readonly heldUp: boolean;
  /** Place of the gateway that had it last. */
  readonly gateway: number;
  /** A status, or what became of it instead. */
  readonly ending: number | string;
}

/** Everything since the last such message. */
export interface FromClient {
  readonly kind: 'resting';
  readonly samples: readonly Sample[];
}
