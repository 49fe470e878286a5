import { answers, calls, examples, strategies } from './section.ts';

export const OPSEN = [
  examples({
    'opsen-server.readme.yml': "the server's file of its README",
    'opsen-server.docker.yml': 'the one for containers',
    'opsen-server.systemd.yml': 'the one for systemd',
    'opsen-server.local.yml': 'the one for trying it out',
    'opsen-agent.readme.yml': "the agent's file of its README: the command for Usher's own agent",
    'opsen-agent.docker.yml': 'the one for containers',
    'opsen-agent.paths.yml': 'the one with several endpoints',
  }),
  strategies({
    CPU: 'to the backend whose cores have less to do',
    memory: 'to the one that has less of its memory in use',
    distance: 'to the one that is nearer',
    GPU: 'to the one whose cards have less to do, where the tier has any',
    tier: 'to nobody who has not what the tier needs beside what is reserved',
  }),
  calls({
    'POST /register': '200 `{"status":"registered"}`; 400, 405',
    'POST /stats':
      '200 `{"status":"ok"}`, as its README has it; 404 for a client that is not registered, 400, 405',
    'POST /route':
      '200 `{client_id, endpoint, hostname, distance_km?}`; 400 `Unknown tier: X`, 503 `No available clients with sufficient resources`',
    'GET /health': '200 `{"status":"ok",…}`; needs no key',
    'GET /clients':
      '200 with a list; `?active_only=true` has those that report. `last_health_check` has no equal',
    'POST /clients/purge': '200 `{"status":"success",…}`, also by DELETE',
    'POST /clients/purge-pending': '200 `{"status":"success","purged":0,…}`, also by DELETE',
    'Without a key': '401 `Missing X-API-Key header`',
    'With a wrong key': '403 `Invalid API key`',
    whitelisted_ips:
      '403 for others, with a problem of RFC 9457 instead of `Access denied`; networks count too. `/health` is for all',
    rate_limit_per_minute: '429 with `Retry-After`; not for `/health` and proxied requests',
    'Another type than JSON': '415 `Content-Type must be application/json`',
    'Another method': '405',
  }),
  answers({
    'Outside proxy_endpoints': '404',
    'A tier that there is not': '400',
    'The tier is named in the body':
      'a backend for it; the body counts more than the query, that more than the header, and without any it is `lite`',
    'No backend has the resources': '503',
    sticky_header: 'the backend that their session has',
    sticky_by_ip: 'the backend that their address has',
    max_request_body_bytes: '413, as its documentation has it',
    request_timeout_seconds: '504',
    'The backend fails': '502',
    enable_cors:
      'for a preflight of an origin that may 204, and for one that may not 403; who sends no Origin is served',
    disable_security_headers: 'without it `X-Content-Type-Options` and `X-Frame-Options`',
    'Several endpoints with paths': 'the endpoint whose path fits best',
  }),
] as const;
