import { CONNX } from './connx.ts';
import { HELIOS } from './helios.ts';
import { LOAD_BALANCER } from './load-balancer.ts';
import { OPSEN } from './opsen.ts';
import type { PageSection } from './section.ts';
import { VELO } from './velo.ts';

/** What the pages about moving from other systems have between their introductions and their keys. */
export const PROMISES = {
  helios: HELIOS,
  'load-balancer': LOAD_BALANCER,
  connx: CONNX,
  velo: VELO,
  opsen: OPSEN,
} as const satisfies Readonly<Record<string, readonly PageSection[]>>;
