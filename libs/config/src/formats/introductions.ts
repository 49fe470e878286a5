/** What the pages about moving from other systems say before their tables. */
export const INTRODUCTIONS = {
  helios: `
# From Helios

\`\`\`sh
bin/usher run --config helios.yaml                        # runs the file as it is
bin/usher import helios.yaml --output usher.yaml          # writes it as a file of Usher
\`\`\`

The file is known by its keys. What has no equal in Usher, or means something else, is told with its place. A running process
follows the file. Relative paths start at its folder.

What the documentation of Helios promises is kept, also where Helios itself does not keep it: \`text\` is a format of the log,
\`gzip\` takes whole numbers, a backend that fails is the only one that is left alone, and one that is unhealthy moves nobody
else's clients. Unlike there, nothing is believed of X-Forwarded-For unless \`trusted_proxies\` names who sent it
(\`--set trusted_proxies=10.0.0.0/8\`). Keys that Helios does not know it ignores; Usher ignores them too and says so.

Its admin API is where it was, with the same tokens, paths and answers; errors are \`application/problem+json\`. What is changed stays
over a restart. \`/v1/openapi.json\` describes it. With \`auth_token\` a body is JSON whatever its Content-Type says, as with \`curl -d\`;
without one it has to be \`application/json\`, as any page that a browser on this machine shows could send the rest.`,
  'load-balancer': `
# From load-balancer

\`\`\`sh
bin/usher run --config config.json                        # runs the file as it is
bin/usher import config.json --output usher.yaml          # writes it as a file of Usher
\`\`\`

Both forms of its files are read, the one of its README (YAML) and the one of its program (JSON). What has no equal in Usher, or
means something else, is told with its place. A running process follows the file. Relative paths start at its folder.

What its README promises is kept: backends that are unhealthy are not chosen, \`random\` is random, a sticky cookie reaches the
client, requests keep their query, and the file can be changed while it runs. \`/metrics\` is on the port of the traffic, with the names of
Usher.`,
  connx: `
# From ConnX

\`\`\`sh
bin/usher run --config config.yaml                        # runs the file as it is
bin/usher import config.yaml --output usher.yaml          # writes it as a file of Usher
\`\`\`

A file with nothing but \`server.port\` and backends with \`url\` and \`weight\` could as well be one of load-balancer; then
\`--format connx\` says which. What has no equal in Usher, or means something else, is told with its place. A running process
follows the file.

What its README promises is kept: weights are exact, the settings of the breaker count, and all of them can be changed while it
runs. \`/metrics\` is on the port of the traffic with the names of ConnX, and at \`metrics.address\`, 127.0.0.1:9090, there with Usher's own
as \`/metrics?format=usher\`. Moved (\`--set metrics.address=127.0.0.1:9190\`), it is found from the traffic all the same.`,
  velo: `
# From Velo

\`\`\`sh
LB_PORT=9000 bin/usher run --config config.yaml           # runs the file as it is
bin/usher import config.yaml --output usher.yaml          # writes it as a file of Usher
\`\`\`

What has no equal in Usher, or means something else, is told with its place. The variables of Velo lie over the file, and those
of Usher over both; \`import\` takes the file alone. A running process follows the file. Instead of \`-generate-config\` there is
\`bin/usher generate-config\`.

\`/metrics\` is on the port of the traffic in the JSON of Velo, by the ids of pools, and at \`metrics.address\`, 127.0.0.1:9090, there for
Prometheus as \`/metrics?format=usher\`. Moved (\`--set metrics.address=127.0.0.1:9190\`), it is found from the traffic all the same.`,
  opsen: `
# From Opsen

\`\`\`sh
bin/usher run --config server.yml -- -port 9000           # runs the server's file as it is, with flags of Opsen behind --
bin/usher import server.yml --output usher.yaml           # writes it as a file of Usher
bin/usher import client.yml                               # prints the command for Usher's own agent
\`\`\`

Agents of Opsen go on as they are: [its API](../opsen.md) is on the port that it was on, beside the proxied traffic. What has no
equal in Usher, or means something else, is told with its place. The variables of its containers lie over the file, its flags
over both. A running process follows the file. Relative paths start at its folder.

Endpoints that register have to be in private networks, unless \`opsen.endpoints\` names others
(\`--set 'opsen.endpoints=10.0.0.0/8,*.example.com'\`). What a request reserves it has until it is answered, and a session until it
has been silent for a while; neither ever exceeds what a backend has.`,
  nginx: `
# From nginx

\`\`\`sh
bin/usher import nginx.conf --output usher.yaml           # tells what was not translated, with its place and why
bin/usher check usher.yaml
\`\`\`

The common parts of a reverse proxy are translated. Look over the result before it runs: \`usher run\` does not take files of nginx
themselves.

What keeps somebody out is kept or closed: locations whose guard Usher has no equal for (\`auth_basic\`, \`auth_request\`, \`internal\`,
\`limit_except\`, an \`if\` that turns away, some orders of \`allow\` and \`deny\`) are answered with 503, also if they are inside other
locations. Where there is no path to close, it is told as \`left open\`, before everything else, and \`import\` ends with 1: guarded
locations with regular expressions, an \`if\` of a server, paths that only begin like a guarded one (\`/.gitignore\` beside \`/.git\`), and
files that are included, which are not looked into.

- Every listener serves every route. Servers that others could not get at are left out with their listeners, and told: those at loopback or
  other single addresses beside servers for every address, and those that ask for clients' certificates beside such that do not.
- Routes do not depend on the listener, and settings such as timeouts are the same for all of them.
- nginx does not probe; Usher does, by connecting, unless \`health: { type: none }\` is written.
- Paths count by whole segments, and a redirect to the same URL with https is that of the routes with TLS.
- The host that the client asked for is passed on, as with \`proxy_set_header Host $host\`.
- Directives that are in no table are told and left out.`,
  haproxy: `
# From HAProxy

\`\`\`sh
bin/usher import haproxy.cfg --output usher.yaml          # tells what was not translated, with its place and why
bin/usher check usher.yaml
\`\`\`

The common parts of an HTTP proxy are translated. Look over the result before it runs: \`usher run\` does not take files of HAProxy
themselves. Rules that turn requests away are kept where they ask for addresses, hosts and paths. Where they ask for anything else of hosts
or paths, everybody is kept out of those. Others are told as \`left open\`, before everything else, and \`import\` ends with 1.

- Every listener serves every route. Sections that others could not get at are left out with their listeners, and told: those at loopback or
  other single addresses beside sections for every address, and those that ask for clients' certificates beside such that do not.
- The most specific route counts, by host and then by path, and not the first \`use_backend\`.
- Routes do not depend on the listener, and settings such as timeouts are the same for all of them.
- Keywords that are in no table are told and left out.`,
} as const;
