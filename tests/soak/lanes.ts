export const LANES = ['wire', 'plugin'] as const;
/** The ways through a gateway. A path that begins with its name takes it. */
export type Lane = (typeof LANES)[number];
