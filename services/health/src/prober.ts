import type { ProbeTarget } from './probe-plan.ts';

export type ProbeResult =
  | { readonly ok: true; readonly latencyMs: number }
  | { readonly ok: false; readonly timedOut: boolean; readonly cause: string };

/** Asks a backend how it is. The only part of probing that does I/O. */
export interface Prober {
  /** Always resolves, within `timeoutMs` or soon after `signal` aborts. */
  probe(target: ProbeTarget, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
}
