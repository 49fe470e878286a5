/** Expired allocations that a reservation gives back in passing. */
export const SWEPT_IN_PASSING = 16;
/** When nothing has room it gives back so many more and looks again, in so many rounds at most; then it is full. */
export const SWEPT_A_ROUND = 64;
export const ROUNDS_IN_NEED = 16;
