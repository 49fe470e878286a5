import http from 'node:http';
import https from 'node:https';
import { json } from 'node:stream/consumers';
import type { AdminSettings, LocalSettings } from '@usher/config';
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
  return { answers: admin !== null && (await isUsher(admin)), pid };
}

async function isUsher({ host, port, tls }: AdminSettings): Promise<boolean> {
  const everywhere = host === '0.0.0.0' || host === '::';
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // Nothing is told to whoever answers, and nothing is done for what they say: their certificate need not be valid.
  const request = (tls === undefined ? http : https).get(
    {
      host: everywhere ? '127.0.0.1' : host,
      port,
      path: '/v1/health',
      timeout: ANSWER_MS_MAX,
      rejectUnauthorized: false,
    },
    (response) => {
      json(response).then(
        (health) => resolve(Array.isArray((health as { readonly services?: unknown } | null)?.services)),
        () => resolve(false),
      );
    },
  );
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(false));
  return await promise;
}
