import type { LocalSettings } from '@usher/config';
import { holderOf } from '@usher/event-log';

const ANSWER_MS_MAX = 2_000;

/** An Usher of this configuration that runs already. */
export interface RunningUsher {
  readonly answers: boolean;
  /** On this machine; known where it keeps the event log. */
  readonly pid: number | undefined;
}

export async function findRunning({ admin, bus, data }: LocalSettings): Promise<RunningUsher> {
  const pid = bus.type === 'embedded' ? await holderOf(data) : undefined;
  if (admin === null) return { answers: false, pid };
  const host = admin.host === '0.0.0.0' || admin.host === '::' ? '127.0.0.1' : admin.host;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${admin.port}/v1/health`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const health = (await response.json()) as { readonly services?: unknown } | null;
    return { answers: Array.isArray(health?.services), pid };
  } catch {
    return { answers: false, pid };
  }
}
