import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsServer } from '@usher/testing';
import { connect } from 'nats';

const STREAM = 'USHER_EVENTS';
const POLL_MS = 100;
const LIMIT_MS = 30_000;

/** The server of a cluster that leads the log, once every other one has all of it. The servers are called n1, n2 and so on. */
export async function leaderOf(servers: readonly NatsServer[]): Promise<NatsServer> {
  const connection = await connect({ servers: servers.map(({ url }) => url) });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += POLL_MS) {
      const { cluster } = await manager.streams.info(STREAM);
      const whole = cluster?.replicas?.filter(({ current, offline }) => current && !offline) ?? [];
      const leader = servers[Number(cluster?.leader?.slice(1)) - 1];
      if (leader !== undefined && whole.length === servers.length - 1) return leader;
      await sleep(POLL_MS);
    }
  } finally {
    await connection.close();
  }
  throw new Error('the cluster is not whole');
}
