import { type BackendSettings, type PoolSettings, parseBackendUrl } from '@usher/domain';
import { targetsOf } from '@usher/runtime';
import { urlsOf } from './backend-address.ts';

/** Whether the address in a URL is none at which a name of this pool may lead. */
export function leadsAstray(url: string, { targets }: PoolSettings): boolean {
  const origin = parseBackendUrl(url);
  return typeof origin !== 'string' && !targetsOf(targets).allowsAddress(origin.host);
}

/** The first URL of a backend at which its pool takes none from agents; undefined when all of them may be. */
export function forbiddenUrl(backend: BackendSettings, { targets }: PoolSettings): string | undefined {
  const { allowsHost } = targetsOf(targets);
  return urlsOf(backend).find((each) => {
    const origin = parseBackendUrl(each);
    return typeof origin !== 'string' && !allowsHost(origin);
  });
}
