/**
 * Which backend the requests of one client go to, by pool and sticky id, the same for all gateways. An assignment ends
 * after `ttlMs`, or earlier when it was not used for `idleMs`. Whatever changes one says what it believes to be there,
 * so of two gateways that decide at once one wins and the other is told.
 */
export interface StickyAssignments {
  /** The backend; asking counts as use. */
  get(pool: string, id: string): Promise<string | undefined>;
  /** Assigns the id unless it is assigned already. Answers with the backend that it has afterwards. */
  assign(assignment: StickyAssignment): Promise<string>;
  /** Assigns the id anew if it has the backend `from`. Answers with the backend that it has afterwards, if any. */
  move(assignment: StickyAssignment, from: string): Promise<string | undefined>;
  /** Ends the assignment if it is to that backend. */
  clear(pool: string, id: string, backend: string): Promise<boolean>;
}

export interface StickyAssignment {
  readonly pool: string;
  /** Up to a few hundred characters; whoever takes it from a client makes longer ones short. */
  readonly id: string;
  readonly backend: string;
  readonly ttlMs: number;
  readonly idleMs: number;
}
