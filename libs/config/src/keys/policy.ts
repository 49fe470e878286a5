import type { LimitSettings, TimeoutSettings } from '@usher/domain';
import { wholeNumber } from '../types/scalar.ts';
import { defaulted, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { duration, size } from '../types/units.ts';

const aWhile = duration({ min: '1ms', max: '24h' });

export const timeouts: Type<TimeoutSettings> = section({
  request_header: defaulted('10s', {
    to: 'requestHeaderMs',
    type: aWhile,
    doc: 'How long a client may take to send the head of a request, from its first byte on.',
    why: 'Ends connections that trickle a head in to hold a connection open.',
  }),
  connect: defaulted('3s', {
    to: 'connectMs',
    type: aWhile,
    doc: 'How long a backend may take to accept a connection.',
    why: 'One lost SYN is sent again after a second, two after three.',
  }),
  response: defaulted('30s', {
    to: 'responseMs',
    type: aWhile,
    doc: 'How long a backend may take from the end of the request to the head of its response. A response that has begun may take as long as it needs, see `response_idle`.',
  }),
  response_idle: defaulted('5m', {
    to: 'responseIdleMs',
    type: duration({ min: '1ms', max: '24h', zero: 'no limit' }),
    doc: 'How long a backend may pause within the body of a response. The time in which the client takes nothing of it does not count.',
    why: 'A backend that freezes half way would hold its clients for ever. Event streams are quiet for a while, but send a comment now and then.',
  }),
  body_idle: defaulted('60s', {
    to: 'bodyIdleMs',
    type: aWhile,
    doc: 'How long a client may pause while it sends the body of a request, or take nothing of a response that waits for it.',
    why: 'It limits the pauses and not the whole, so that a large upload over a slow line goes through.',
  }),
  idle: defaulted('75s', {
    to: 'idleMs',
    type: aWhile,
    doc: 'How long a client connection may stay open without a request.',
    why: 'Longer than the 60 seconds after which many clients and balancers in front give a connection up, so that they close first.',
  }),
  backend_idle: defaulted('4s', {
    to: 'backendIdleMs',
    type: aWhile,
    doc: 'How long an unused connection to a backend is kept for the next request.',
    why: 'Must be shorter than what the backend itself allows, or requests meet closed connections; a Node server allows 5 seconds. It is independent of `idle`, which is about clients.',
  }),
  request: defaulted('0s', {
    to: 'requestMs',
    type: duration({ min: '1ms', max: '24h', zero: 'no limit' }),
    doc: 'How long a whole request may take, with its body, its retries and its response.',
    why: 'Off, because a limit on the whole cuts uploads, downloads and event streams that are in good health. When it is shorter than `response` or `connect`, it ends those too.',
  }),
  upgrade_idle: defaulted('1h', {
    to: 'upgradeIdleMs',
    type: aWhile,
    doc: 'How long nothing may pass either way through a WebSocket before it is closed. No other timeout applies to it.',
    why: 'Applications that ping do so every minute or more often; those that do not should not lose quiet connections. That a client has vanished is found out earlier, by TCP keep-alive.',
  }),
  lame_duck: defaulted('1s', {
    to: 'lameDuckMs',
    type: duration({ min: '1ms', max: '1h', zero: 'not at all' }),
    doc: 'How long a gateway that gets a SIGTERM goes on taking connections and requests while its `/health` answers 503 already. Each connection ends with its next answer, which says so.',
    why: 'Whoever sends traffic here finds out by then, so that nothing meets a closed port. Where that takes longer, as with a balancer in front that looks every ten seconds, it should be longer than that.',
  }),
  shutdown: defaulted('30s', {
    to: 'shutdownMs',
    type: duration({ min: '1ms', max: '1h', zero: 'at once' }),
    doc: 'How long a stopping gateway, when it takes nothing new any more, lets requests in progress finish. WebSockets are closed with status 1001 (going away), each between two frames and one after the other over the first three quarters of that time.',
  }),
});

export const limits: Type<LimitSettings> = section({
  request_body: defaulted('10MiB', {
    to: 'requestBodyBytes',
    type: size({ min: '1B', max: '1024GiB', zero: 'no limit' }),
    doc: 'Largest body of a request; a larger one is answered with 413.',
  }),
  body_rate: defaulted('0B', {
    to: 'bodyRateBytesPerS',
    type: size({ min: '1B', max: '1GiB', zero: 'no minimum' }),
    doc: 'Fewest bytes a second in which a client may send the body of a request, after a grace of 10 seconds; a slower one is answered with 408. Time in which the backend does not take the body does not count.',
    why: 'Off, because what is too slow depends on the clients: 1KiB ends attacks that trickle a body in and spares mobile phones.',
  }),
  header_bytes: defaulted('60KiB', {
    to: 'headerBytes',
    type: size({ min: '1KiB', max: '1MiB' }),
    doc: 'Largest head of a request or response, start line included; a larger one is answered with 431.',
  }),
  header_count: defaulted(100, {
    to: 'headerCount',
    type: wholeNumber({ min: 10, max: 1000 }),
    doc: 'Most header fields of a request or response.',
  }),
  connections: defaulted(20_000, {
    to: 'connections',
    type: wholeNumber({ min: 1, max: 10_000_000 }),
    doc: 'Most client connections that a gateway holds open at once.',
    why: 'Each takes a file descriptor, and another one while a backend works for it: allow the process at least twice as many.',
  }),
  connections_per_ip: defaulted(0, {
    to: 'connectionsPerIp',
    type: wholeNumber({ min: 0, max: 10_000_000 }),
    doc: 'Most connections that one client address holds open to a gateway at once, 0 for no limit; one more is answered with 429. The address is that of the TCP connection or of its PROXY protocol header; an IPv6 client is its /64 network. Each worker allows its share.',
    why: 'Off, because many people can be behind one address. The kernel deals connections to workers by chance, so allow several times what one client needs.',
  }),
  requests_per_connection: defaulted(0, {
    to: 'requestsPerConnection',
    type: wholeNumber({ min: 0, max: 1_000_000_000 }),
    doc: 'Most requests that a client connection serves before it is closed, 0 for no limit. The last response says `Connection: close`.',
    why: 'Off, because nothing here grows with the age of a connection. It makes long-lived clients spread over gateways that were added.',
  }),
  upgrades: defaulted(10_000, {
    to: 'upgrades',
    type: wholeNumber({ min: 0, max: 10_000_000 }),
    doc: 'Most WebSockets that a gateway holds open at once; one more is answered with 503.',
    why: 'Half of `connections`, so that WebSockets, which stay, leave room for requests, which go.',
  }),
});
