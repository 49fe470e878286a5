/** A configuration that says every key of the shared settings at least once; `COOKIE_KEY` of its environment is a secret. */
export const EVERY_SHARED_KEY = `
trusted_proxies: ["10.0.0.0/8", "fd00::/8"]
timeouts: { request_header: 9s, connect: 2s, response: 29s, response_idle: 4m, body_idle: 59s, idle: 74s, backend_idle: 3s, request: 1m, upgrade_idle: 2h, lame_duck: 2s, shutdown: 29s }
limits: { request_body: 9MiB, body_rate: 1KiB, header_bytes: 50KiB, header_count: 90, connections: 19999, connections_per_ip: 9, requests_per_connection: 8, upgrades: 7 }
rate_limit: { by: ip, rate: 100/s, burst: 200, scope: local }
clients: { allow: ["10.0.0.0/8"], deny: ["10.1.0.0/16"] }
redirect: https
cors: { origins: ["https://app.example.com"], methods: [GET], headers: [X-A], expose: [X-B], credentials: true, max_age: 5m }
api_keys: { header: X-Key, keys: [{ name: one, key: q7Wm2Zx9Lk4Rt6Vb8Np1 }] }
jwt: { issuer: "https://i.example.com", audience: api, keys: [{ id: one, algorithm: EdDSA, key: "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA3pXiVHiUZObd1EtLaQrMGilAraazmbXEbclAvk+kg2M=\\n-----END PUBLIC KEY-----\\n" }], jwks: "https://i.example.com/jwks", claim_to_headers: { X-User: sub } }
request_id: { header: X-Trace, trust: trusted_proxies }
request_headers: { set: { X-C: "{client}" }, add: { X-D: d }, remove: [X-E] }
security_headers: { hsts: max-age=1, frame_options: DENY, content_type_options: none, referrer_policy: origin, content_security_policy: "default-src 'self'", permissions_policy: camera=() }
response_headers: { set: { X-F: f }, add: { X-G: g }, remove: [X-H] }
pools:
  web:
    strategy: maglev
    hash: { by: header, name: X-User }
    slow_start: 10s
    backends:
      - { id: a, url: "http://10.0.0.1:3000", weight: 2.5, priority: 1, max_connections: 5, zone: z, place: { latitude: 52.5, longitude: 13.4 }, capacity: { vcpu: 4, memory: 8GiB, storage: 1GiB, gpus: 2, gpu_memory: 1GiB }, endpoints: [{ path: "/api/*", url: "http://10.0.0.1:3001" }] }
    health: { type: http, path: /health, method: GET, headers: { X-Probe: p }, expect_status: [200, 304], expect_body: ok, interval: 4s, down_interval: 9s, timeout: 1s, fall: 4, rise: 3 }
    breaker: { enabled: true, failures: 4, window: 9s, open_for: 29s, half_open_requests: 2, successes: 1 }
    passive: { enabled: true, consecutive: 4, failure_rate: 40%, window: 9s, min_requests: 19, eject_for: 29s, max_ejected: 33.5% }
    panic: 40%
    fail_open: false
    retry: { attempts: 2, budget: 19% }
    tls: { server_name: web.internal, ca: /ca.pem, cert: /cert.pem, key: /key.pem, verify: true }
    queue: { max: 9, timeout: 4s }
    adaptive_concurrency: { min: 2, max: 99 }
    proxy_protocol: none
    http2: false
    drain: 29s
    agents: true
    targets: ["10.0.0.0/8", "*.example.com"]
    tiers: [{ name: small, vcpu: 0.5, memory: 1MiB, storage: 2MiB, gpus: 1, gpu_memory: 3MiB }]
    reserve: session
    reserve_idle: 9m
    reserve_without_store: open
    client_location: { latitude_header: X-Lat, longitude_header: X-Lon }
    scoring: { distance: 1, cpu: 2, memory: 3, gpu: 4, latency: 5 }
    sticky: { by: cookie, name: u, ttl: 23h, idle: 59m, affinity: false, path: /shop, domain: example.com, same_site: strict, keys: ["env:COOKIE_KEY"], secure: always }
  named:
    health: { type: grpc, service: shop.Orders, interval: 3s }
    sticky: { by: header, name: X-User, fallback: ip }
    discovery: { dns: "https://web.internal:3000", servers: ["10.0.0.2:53"], refresh_min: 4s, refresh_max: 50s }
    hash: { by: path }
  found:
    health: { type: none }
    discovery: { srv: _http._tcp.web.internal, scheme: http }
    sticky: { by: ip }
  listed: { strategy: custom, strategy_file: /own.mjs, discovery: { file: /list.yaml }, health: { type: tcp }, hash: { by: cookie, name: u } }
routes:
  - id: all
    host: "*.example.com"
    path: /v1/*
    pool: web
    websocket: false
    priority: critical
    rate_limit: { by: header, name: X-User, rate: 5/90s, burst: 6 }
    canaries: [{ header: X-Beta, value: "1", pool: named }, { cookie: beta, pool: named }]
    split: { by: cookie, name: u, pools: [{ pool: named, share: 12.5% }] }
    mirror: { pool: named, share: 29% }
    plugins: [{ name: compression }, { name: own, file: /own.mjs, size: 7, deep: { list: [1] } }]
    clients: none
    request_body: 5MiB
    rewrite: { strip: /v1, add: /v2 }
    redirect: { to: "https://example.com{path}", status: 308 }
  - { id: tiered, path: /tiered, pool: web, tier: { field: tier, field_limit: 32KiB, query: tier, header: X-Tier, default: small } }
  - { id: rest, path: "/*", pool: named, rate_limit: none, cors: none, api_keys: none, jwt: none, request_id: none, request_headers: none, security_headers: none, response_headers: none, split: { pools: [{ pool: found, share: 1% }] } }
`;
