import { freePort } from './free-port.ts';
import { type NatsServer, startNatsServer } from './nats-server.ts';

/** NATS servers that are one cluster, three unless said. They need a moment to find each other. */
export async function startNatsCluster(size = 3): Promise<readonly NatsServer[]> {
  const ports: number[] = [];
  while (ports.length < size) ports.push(await freePort());
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  return await Promise.all(
    ports.map((port, place) => {
      const cluster = `cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
      return startNatsServer(`server_name: n${place + 1}\n${cluster}`);
    }),
  );
}
