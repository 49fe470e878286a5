import type { Place } from '../fault.ts';
import { isLoopback } from '../types/network.ts';

/** A listener of a section of another system. */
export interface Door {
  /** As it is written for the listener; undefined for what Usher has no listener for. */
  readonly host: string | undefined;
  /** What makes sure of clients' certificates, where they have to show one. */
  readonly clientCa: string | undefined;
}

/** Whoever is on this machine gets to the others, too. */
const LOOPBACK = 'loopback';
const EVERYWHERE = new Set(['0.0.0.0', '[::]', '*', '']);

/** Told of sections that are left out. */
export const ELSEWHERE =
  'it listens elsewhere than others, or asks for other certificates, and every listener serves every route: it is left out with its addresses; import it by itself';

/**
 * The sections that can share their listeners without anybody getting at what was not open to them. Usher's listeners serve all
 * routes, so that what was on an address that few reach, or asked clients for certificates, must not be beside what was not.
 */
export function sharing<S extends { readonly doors: readonly Door[]; readonly at: Place }>(
  sections: readonly S[],
  leftOut: (section: S) => void,
): readonly S[] {
  const widest =
    sections.find((section) => reachesOf(section).has(undefined)) ??
    sections.find((section) => [...reachesOf(section)].some((reach) => reach !== LOOPBACK)) ??
    sections[0];
  if (widest === undefined) return [];
  const reaches = reachesOf(widest);
  const near = sections.filter((section) => isNoWider(reaches, reachesOf(section)));
  const [first] = near;
  const authority =
    near.some((section) => authorityOf(section) === '') || first === undefined ? '' : authorityOf(first);
  const kept = new Set(near.filter((section) => authorityOf(section) === authority));
  for (const section of sections) if (!kept.has(section)) leftOut(section);
  return [...kept];
}

/** The addresses at which a section is; undefined is every one of them. */
function reachesOf({ doors }: { readonly doors: readonly Door[] }): ReadonlySet<string | undefined> {
  return new Set(doors.map(({ host }) => reachOf(host)));
}

function reachOf(host: string | undefined): string | undefined {
  if (host === undefined) return LOOPBACK;
  if (EVERYWHERE.has(host)) return undefined;
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return isLoopback(bare) ? LOOPBACK : bare;
}

/** Whether those who get at these addresses get at a section's own, and the other way round: but for this machine. */
function isNoWider(shared: ReadonlySet<string | undefined>, own: ReadonlySet<string | undefined>): boolean {
  if (own.size === 0) return true;
  if (shared.has(undefined) || own.has(undefined)) return shared.has(undefined) === own.has(undefined);
  const [a, b] = [shared, own].map((set) => [...set].filter((reach) => reach !== LOOPBACK));
  return a?.length === b?.length && (a ?? []).every((reach) => own.has(reach));
}

/** What asks all clients of a section for certificates; empty where some come without. */
function authorityOf({ doors }: { readonly doors: readonly Door[] }): string {
  const [first, ...others] = doors.map(({ clientCa }) => clientCa ?? '');
  return first === undefined || others.some((other) => other !== first) ? '' : first;
}
