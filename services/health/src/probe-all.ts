import type { ProbeTarget } from './probe-plan.ts';
import type { ProbeResult, Prober } from './prober.ts';

/**
 * Probes every place of a backend at the same time. It is well when all of them are, and as slow as the slowest; of those
 * that failed the first tells why. Resolves as a single probe does.
 */
export async function probeAll(
  prober: Prober,
  targets: readonly [ProbeTarget, ...ProbeTarget[]],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const [only, ...others] = targets;
  if (others.length === 0) return await prober.probe(only, timeoutMs, signal);
  const results = await Promise.all(targets.map((target) => prober.probe(target, timeoutMs, signal)));
  let latencyMs = 0;
  for (const [index, result] of results.entries()) {
    if (!result.ok) return { ...result, cause: `${placeOf(targets[index]!)}: ${result.cause}` };
    latencyMs = Math.max(latencyMs, result.latencyMs);
  }
  return { ok: true, latencyMs };
}

function placeOf({ host, port }: ProbeTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
