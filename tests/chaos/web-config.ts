/** What is declared of the pool `web` and around it. */
export interface WebSetup {
  readonly backends?: number;
  /** YAML of the pool `web` but for its backends. */
  readonly pool?: string;
  /** More YAML at the root. */
  readonly policy?: string;
  /** Whether paths that begin with `/plugin/` take the plugin lane, which they do by default. */
  readonly plugins?: boolean;
  /** In place of the backends' own ports. */
  readonly through?: (ports: readonly number[]) => Promise<readonly number[]>;
}

const POOL = 'health: { type: http, path: /healthz, interval: 500ms, timeout: 400ms }';

/** YAML with the pool `web` of backends `b0`, `b1` … at these ports. */
export function webConfig(ports: readonly number[], setup: WebSetup): string {
  const { pool = POOL, policy = '', plugins = true } = setup;
  const declared = ports.map((port, place) => `{ id: b${place}, url: "http://127.0.0.1:${port}" }`);
  return `workers: 1
${policy}
pools:
  web:
    ${pool}
    backends: [${declared.join(', ')}]
routes:
  - { path: "/plugin/*", pool: web, plugins: [${plugins ? '{ name: gzip }' : ''}] }
  - { path: "/*", pool: web }
`;
}
