import { type FleetState, type Origin, parseBackendUrl, UsherError } from '@usher/domain';
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
 * Refuses a URL that no gateway could use, and what would have requests sent to the process that decides: to its admin API or
 * metrics they would come from a loopback address, which some trust, and in its traffic one request would become as many as there is
 * room for. What is in force already stays: a file may say it.
 */
export function assertReachable(
  state: FleetState,
  drafts: readonly EventDraft[],
  own: readonly OwnAddress[],
): void {
  for (const draft of drafts) {
    if (draft.type !== 'backend.registered' && draft.type !== 'backend.updated') continue;
    const { settings } = draft.data;
    const before = state.backends.get(settings.id)?.settings;
    const known = before === undefined ? [] : urlsOf(before);
    for (const url of urlsOf(settings).filter((each) => !known.includes(each))) {
      const origin = parseBackendUrl(url);
      if (typeof origin === 'string')
        throw new UsherError('invalid_input', `the URL of backend ${settings.id} ${origin}`);
      if (isOwn(origin, own))
        throw new UsherError(
          'forbidden',
          `backend ${settings.id} at ${url}: there this process itself listens; only the file of a process may say this`,
        );
    }
  }
}

/** Whether a URL leads to this process itself. */
export function leadsHome(url: string, own: readonly OwnAddress[]): boolean {
  const origin = parseBackendUrl(url);
  return typeof origin !== 'string' && isOwn(origin, own);
}

function isOwn(origin: Origin, own: readonly OwnAddress[]): boolean {
  const host = plainHost(origin.host);
  return own.some(
    (each) =>
      each.port === origin.port &&
      (plainHost(each.host) === host || (isLoopback(host) && isLoopback(plainHost(each.host)))),
  );
}
