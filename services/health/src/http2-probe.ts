import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { judgeAnswer, type Settle } from './probe-answer.ts';
import type { ProbeTarget } from './probe-plan.ts';

type Target = ProbeTarget & { type: 'http' };
type Headers = Readonly<Record<string, string>>;

/** Asks over `socket`, which is about to connect, in HTTP/2, as gateways ask the backends of the pool. */
export function probeHttp2(socket: Socket, target: Target, headers: Headers, settle: Settle): void {
  socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2')
      settle({ cause: 'the backend does not agree to HTTP/2' });
    else askHttp2(socket, target, headers, settle);
  });
}

function askHttp2(socket: Socket, target: Target, { host, ...headers }: Headers, settle: Settle): void {
  const { authority, path, method, tls } = target;
  const scheme = tls === undefined ? 'http' : 'https';
  const session = connect(`${scheme}://${authority}`, { createConnection: () => socket });
  socket.once('close', () => session.destroy());
  session.on('error', () => settle({ cause: 'the answer is not valid HTTP/2' }));
  const call = session.request(
    { ...headers, ':method': method, ':path': path, ':authority': host ?? authority },
    { endStream: true },
  );
  let answered = false;
  const cutOff = { cause: 'the answer was cut off' };
  call.on('response', (fields) => {
    answered = true;
    // What is cut off ends like a whole answer, except for the code.
    judgeAnswer(fields[':status'] ?? 0, call, target, (outcome) =>
      settle(call.rstCode === 0 ? outcome : cutOff),
    );
  });
  call.on('error', () => {});
  call.on('close', () => settle(answered ? cutOff : { cause: 'closed without an answer' }));
}
