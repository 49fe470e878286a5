import type { Metrics } from '@usher/ports';
import type { GeoipFile } from './geoip-file.ts';

/** Registers the metrics of the database that says where clients are. */
export function exposeGeoip(metrics: Metrics, file: Pick<GeoipFile, 'usable' | 'builtMs'>): void {
  metrics.gauge('usher_geoip_usable', 'Whether the GeoIP database is in use as its file is now', () => [
    { labels: {}, value: file.usable ? 1 : 0 },
  ]);
  metrics.gauge(
    'usher_geoip_build_timestamp_seconds',
    'When the GeoIP database in use was made, seconds since the Unix epoch',
    () => (file.builtMs === undefined ? [] : [{ labels: {}, value: file.builtMs / 1000 }]),
  );
}
