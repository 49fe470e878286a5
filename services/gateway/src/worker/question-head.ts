import { type LimitSettings, type RouteQuestion, UsherError } from '@usher/domain';
import { FAULTY, INCOMPLETE, parseRequestHead, RequestHead } from '@usher/http1';

/**
 * The head of the request that a question is about, read as a client's would be. Throws UsherError `invalid_input` when
 * no gateway would take such a request.
 */
export function headOfQuestion(
  { method, target, host, headers }: RouteQuestion,
  limits: LimitSettings,
): RequestHead {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...headers.filter(([name]) => name.toLowerCase() !== 'host').map(([name, value]) => `${name}: ${value}`),
  ];
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  const head = new RequestHead();
  const end = parseRequestHead(bytes, bytes.length, limits, head);
  if (end === FAULTY) throw new UsherError('invalid_input', `the request: ${head.fault.detail}`);
  if (end === INCOMPLETE || end !== bytes.length)
    throw new UsherError('invalid_input', 'the request: it ends before it should');
  return head;
}
