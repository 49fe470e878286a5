import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { ROOT, usher } from './support/command.ts';

const LIMIT_MS = 60_000;
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Something that listens where an admin API is looked for. */
async function pretend(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const RECORD = '{"position":7,"subject":"s","events":[]}\n';
const ERROR =
  '{"error":{"code":"log_unavailable","title":"The event log","detail":"Go on after position 7"}}\n';

const page: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>');
};

function stream(text: string): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(text);
  };
}

test.each([['export'], ['--json', '--after', '1'], ['tail', '--json'], ['tail']])(
  'events that end with an error fail, and say it on standard error: %s',
  async (...args) => {
    const admin = await pretend(stream(RECORD + ERROR));
    const { code, stdout, stderr } = await usher(['events', ...args, '--admin', admin]);
    expect(code).toBe(1);
    expect(stdout).not.toContain('error');
    const detail = 'Go on after position 7';
    if (args.includes('--json'))
      expect(JSON.parse(stderr)).toMatchObject({ code: 'log_unavailable', detail });
    else expect(stderr).toBe(`usher: ${detail} (log_unavailable)\n`);
  },
  LIMIT_MS,
);

test(
  'events shows the newest, as many as are asked for, and nothing that moves the cursor',
  async () => {
    const forged = {
      time: 't',
      type: 'x',
      subject: 's',
      actor: 'mara',
      reason: 'a\n\u001b[2J\u202e',
      data: {},
    };
    const home = tempDir();
    closing.push(() => home.remove());
    writeFileSync(path.join(home.path, 'token'), 't-1\n');
    const asked: (string | undefined)[] = [];
    const admin = await pretend((request, response) => {
      asked.push(request.url, request.headers.authorization);
      if (request.url === '/v1/status') response.end(JSON.stringify({ position: 49 }));
      else stream(`${JSON.stringify({ position: 49, events: [forged] })}\n`)(request, response);
    });
    const { code, stdout } = await usher(
      ['events', '--limit', '3', '--admin', admin, '--token', 'file:token'],
      home.path,
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 't #49 x s by mara (a\\u000a\\u001b[2J\\u202e) {}\n',
    });
    expect(asked).toEqual(['/v1/status', 'Bearer t-1', '/v1/events?limit=3&after=46', 'Bearer t-1']);
  },
  LIMIT_MS,
);

test(
  'a token that no header can hold is refused, and not shown',
  async () => {
    const home = tempDir();
    closing.push(() => home.remove());
    writeFileSync(path.join(home.path, 'token'), 's3cret\nline');
    const { code, stderr } = await usher(
      ['status', '--admin', 'http://127.0.0.1:9', '--token', 'file:token'],
      home.path,
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--token: it has blanks in it');
    expect(stderr).not.toContain('s3cret');
  },
  LIMIT_MS,
);

test(
  'events export succeeds when all has come, and fails when a line broke off',
  async () => {
    const whole = await pretend(stream(RECORD));
    expect(await usher(['events', 'export', '--admin', whole])).toMatchObject({ code: 0, stdout: RECORD });
    const broken = await pretend(stream(`${RECORD}{"posi`));
    expect(await usher(['events', 'export', '--admin', broken])).toMatchObject({
      code: 1,
      stdout: RECORD,
      stderr: expect.stringContaining('broke off after position 7'),
    });
  },
  LIMIT_MS,
);

test(
  'events tail that is ended from the other side says so, and where to go on',
  async () => {
    const admin = await pretend(stream(RECORD));
    expect(await usher(['events', 'tail', '--admin', admin])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ended the stream after position 7; go on with --after 7'),
    });
  },
  LIMIT_MS,
);

test(
  'an answer that is not that of Usher, and none at all, are told apart',
  async () => {
    const stranger = await pretend(page);
    for (const verb of [['status'], ['backends'], ['events'], ['drain', 'b1']]) {
      const { code, stderr } = await usher([...verb, '--admin', stranger]);
      expect(code).toBe(1);
      expect(stderr).toContain('but not as the admin API of Usher does');
    }
    const silent = await pretend(() => {});
    const { code, stderr } = await usher(['status', '--admin', silent, '--timeout', '0.2']);
    expect(code).toBe(1);
    expect(stderr).toContain('has not answered within 0.2 s');
  },
  LIMIT_MS,
);

test.each([
  'demo-backend --port 99999 --name x',
  'demo-backend --port 1.5 --name x',
  'agent --backend b --url nope',
  'status extra',
  'version extra',
  'schema extra',
  'help extra',
  'events --after 1 extra',
  'events tail extra',
  'pools list extra',
  'backends list extra',
  'agent --backend b --url http://127.0.0.1:1 extra',
  'demo-backend --port 0 --name x extra',
  'status --admin nope',
  'status --timeout soon',
])('bad usage ends with 2: usher %s', async (line) => {
  const { code, stderr } = await usher(line.split(' '));
  expect(stderr).not.toBe('');
  expect(code).toBe(2);
});

test('the version is told both ways', async () => {
  const { stdout } = await usher(['version']);
  expect(await usher(['--version'])).toMatchObject({ code: 0, stdout });
});

test('check --json prints the faults as JSON', async () => {
  const directory = tempDir();
  closing.push(() => directory.remove());
  const file = path.join(directory.path, 'usher.yaml');
  writeFileSync(file, 'listen: 5\npols: {}\n');
  const { code, stdout } = await usher(['check', file, '--json'], ROOT);
  expect(code).toBe(2);
  const answer = JSON.parse(stdout) as { ok: boolean; faults: { path: string; suggestion?: string }[] };
  expect(answer.ok).toBe(false);
  expect(answer.faults.find(({ path: key }) => key === 'pols')).toMatchObject({ suggestion: 'pools' });
});

test.each([
  ['conflict', 1, 'is at revision 9', { revision: 9, changes: [{ path: 'weight', before: 1, after: 2 }] }],
  ['unreachable', 1, 'no running system answers', {}],
  ['usage', 2, 'weight takes a number', {}],
  ['stranger', 1, 'not as the admin API', {}],
] as const)(
  'a failure is told to programs in one line of JSON: %s',
  async (code, exit, detail, more) => {
    const problem: RequestListener = (_request, response) => {
      const body = {
        title: 'The state has changed',
        code: 'conflict',
        detail: 'b is at revision 9',
        ...more,
      };
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
    };
    const admin =
      code === 'unreachable' ? 'http://127.0.0.1:9' : await pretend(code === 'stranger' ? page : problem);
    const weight = code === 'usage' ? 'many' : '2';
    const { stdout, stderr, ...ended } = await usher(['weight', 'b', weight, '--json', '--admin', admin]);
    expect([ended.code, stdout, stderr.split('\n').length]).toEqual([exit, '', 2]);
    expect(JSON.parse(stderr)).toEqual({
      code,
      title: expect.stringMatching(/./),
      detail: expect.stringContaining(detail),
      ...more,
    });
  },
  LIMIT_MS,
);
