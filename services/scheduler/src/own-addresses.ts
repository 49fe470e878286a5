import { type BackendSettings, type FleetState, parseBackendUrl, UsherError } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { isLoopback, plainAddress } from '@usher/runtime';

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

function urlsOf({ url, endpoints = [] }: BackendSettings): string[] {
  return [url, ...endpoints.map((endpoint) => endpoint.url)];
}

function isOwn(url: string, own: readonly OwnAddress[]): boolean {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') return false;
  const host = plain(origin.host);
  return own.some(
    (each) =>
      each.port === origin.port && (plain(each.host) === host || (isLoopback(host) && isLoopback(each.host))),
  );
}

function plain(host: string): string {
  return plainAddress(host) ?? host.toLowerCase();
}
