import type { Metrics } from '@usher/ports';
import { HANDSHAKE_FAILURES, type TlsCounts } from '../tls/counters.ts';
import { addTls } from './departed.ts';
import type { ListenerCertificates, Reloads } from './listener-certificates.ts';

const NONE: TlsCounts = { full: 0, resumed: 0, failures: HANDSHAKE_FAILURES.map(() => 0) };

/** The listeners with TLS. */
export interface TlsSources {
  certificates(): readonly ListenerCertificates[];
  reloads(): Readonly<Reloads>;
}

/** Registers the metrics of listeners with TLS. */
export function exposeTls(
  metrics: Metrics,
  listeners: TlsSources,
  counts: () => Promise<readonly TlsCounts[]>,
): void {
  const total = async () => (await counts()).reduce(addTls, NONE);
  metrics.counter('usher_tls_handshakes_total', 'TLS handshakes done, by their kind', async () => {
    const { full, resumed } = await total();
    return [
      { labels: { kind: 'full' }, value: full },
      { labels: { kind: 'resumed' }, value: resumed },
    ];
  });
  metrics.counter(
    'usher_tls_handshake_failures_total',
    'TLS handshakes that failed, by the reason',
    async () => {
      const { failures } = await total();
      return HANDSHAKE_FAILURES.map((reason, index) => ({ labels: { reason }, value: failures[index] ?? 0 }));
    },
  );
  metrics.gauge(
    'usher_tls_certificate_expiry_timestamp_seconds',
    'When the certificate in use for a name expires, seconds since the Unix epoch; the soonest of several',
    () => {
      const soonest = new Map<string, number>();
      for (const { certificates } of listeners.certificates().map(({ tls }) => tls))
        for (const { names, expiresMs } of certificates)
          for (const name of names) soonest.set(name, Math.min(expiresMs, soonest.get(name) ?? expiresMs));
      return Array.from(soonest, ([name, expiresMs]) => ({ labels: { name }, value: expiresMs / 1000 }));
    },
  );
  metrics.counter(
    'usher_tls_reloads_total',
    'Changes of certificate files, by whether they could be used',
    () =>
      (['ok', 'failed'] as const).map((outcome) => ({
        labels: { outcome },
        value: listeners.reloads()[outcome],
      })),
  );
}
