import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendBody, takeBody } from './bodies.ts';
import { echo, sendEvents } from './streams.ts';

/** The backend of all soaks: the path says what it does, after the lane that a request was sent through. */
type Answer = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void;

const ANSWERS: Readonly<Record<string, Answer>> = {
  small: (_request, response) => response.end('small'),
  send: (_request, response, query) => void sendBody(response, query),
  events: sendEvents,
  take: (request, response, query) => void takeBody(request, response, query),
};

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://backend');
  const [, , name = ''] = pathname.split('/');
  const answer = ANSWERS[name];
  if (answer !== undefined) answer(request, response, searchParams);
  else response.writeHead(404).end();
});
server.on('upgrade', echo);
// Longer than the gateway keeps its side, so that no connection closes while a request is on its way.
server.keepAliveTimeout = 120_000;
server.requestTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
console.log(`listening on ${(server.address() as AddressInfo).port}`);
