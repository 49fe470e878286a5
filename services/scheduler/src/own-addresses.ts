import { type FleetState, parseBackendUrl, UsherError } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { isLoopback } from '@usher/runtime';
import { plainHost, urlsOf } from './backend-address.ts';

/** Where a process itself listens. */
export interface OwnAddress {
  /** An address or a name; where all are listened on, each is in the list. */
  readonly host: string;
  readonly port: number;
}

/**
 * Refuses what would have requests sent to the admin API or the metrics of the process that decides: they would come from a
 * loopback address, which some trust. What is in force already stays: a file may say it.
 */
export function assertNotOwn(
  state: FleetState,
  drafts: readonly EventDraft[],
  own: readonly OwnAddress[],
): void {
  for (const draft of drafts) {
    if (draft.type !== 'backend.registered' && draft.type !== 'backend.updated') continue;
    const { settings } = draft.data;
    const before = state.backends.get(settings.id)?.settings;
    const known = before === undefined ? [] : urlsOf(before);
    const url = urlsOf(settings).find((each) => !known.includes(each) && isOwn(each, own));
    if (url !== undefined)
      throw new UsherError(
        'forbidden',
        `backend ${settings.id} at ${url}: there this process itself has its admin API or metrics; only the file of a process may say this`,
      );
  }
}

function isOwn(url: string, own: readonly OwnAddress[]): boolean {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') return false;
  const host = plainHost(origin.host);
  return own.some(
    (each) =>
      each.port === origin.port &&
      (plainHost(each.host) === host || (isLoopback(host) && isLoopback(each.host))),
  );
}
