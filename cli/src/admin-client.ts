import { type Problem, UsherError } from '@usher/domain';
import { httpUrlOption, numberOption } from './arguments.ts';
import { CommandError, type Io, UsageError } from './io.ts';
import { type ConfigArguments, readConfig } from './read-config.ts';
import { secretOf } from './secret-option.ts';
import { secureFetch, type Trust } from './secure-fetch.ts';
import { trustInOwn, trustOf } from './trust.ts';

export interface AdminArguments extends ConfigArguments {
  readonly admin?: string | undefined;
  readonly token?: string | undefined;
  /** Files in PEM form: whose certificates are trusted, and what the command proves itself with. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** In seconds. */
  readonly timeout: string;
}

interface ClientOptions {
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly trust: Trust;
}

/** What is asked of the API. */
interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The admin API of a running system. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;
  readonly #trust: Trust;

  constructor(url: string, { token, timeoutMs, trust }: ClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#timeoutMs = timeoutMs;
    this.#trust = trust;
  }

  /** Finds the system by `--admin`, or else by the configuration. */
  static async find(args: AdminArguments, io: Io): Promise<AdminClient> {
    const timeoutMs = Math.round(numberOption('timeout', args.timeout) * 1000);
    const trust = trustOf(args, io);
    const given = args.token === undefined ? undefined : secretOf(args.token, io);
    if (args.admin !== undefined) {
      return new AdminClient(httpUrlOption('admin', args.admin), { token: given, timeoutMs, trust });
    }
    const { admin } = (await readConfig(args, io)).local;
    if (admin === null) throw new UsageError('the configuration has no admin server; name one with --admin');
    const host = admin.host === '0.0.0.0' || admin.host === '::' ? '127.0.0.1' : admin.host;
    const token =
      given ??
      admin.tokens.find(({ role }) => role === 'admin')?.secret ??
      admin.tokens.find(({ role }) => role !== 'agent')?.secret;
    const scheme = admin.tls === undefined ? 'http' : 'https';
    return new AdminClient(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${admin.port}`, {
      token,
      timeoutMs,
      trust:
        admin.tls === undefined || args.ca !== undefined ? trust : { ...trustInOwn(admin.tls), ...trust },
    });
  }

  /** Reads an object that has the member named, by which Usher's answer is known. */
  async get<T extends object>(path: string, member: keyof T & string): Promise<T> {
    return await this.#ask<T>(path, {}, member);
  }

  async post<T extends object>(
    path: string,
    body: unknown,
    member: keyof T & string,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const init = {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' },
    };
    return await this.#ask<T>(path, init, member);
  }

  /** A GET whose answer is read piece by piece: lines of JSON. Only its head has to come in time. */
  async open(path: string): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), this.#timeoutMs);
    try {
      const response = await this.#fetch(path, { signal: late.signal });
      const type = response.headers.get('content-type') ?? '';
      if (!type.startsWith('application/x-ndjson')) throw this.#stranger(response);
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask<T extends object>(
    path: string,
    init: Omit<Asked, 'signal'>,
    member: keyof T & string,
  ): Promise<T> {
    const response = await this.#fetch(path, { ...init, signal: AbortSignal.timeout(this.#timeoutMs) });
    const answer = parseJson(await this.#read(response));
    if (typeof answer !== 'object' || answer === null || !Object.hasOwn(answer, member)) {
      throw this.#stranger(response);
    }
    return answer as T;
  }

  async #fetch(path: string, init: Asked): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      const url = this.#url + path;
      response = url.startsWith('https:')
        ? await secureFetch(url, { ...init, headers }, this.#trust)
        : await fetch(url, { ...init, headers });
    } catch (error) {
      throw this.#silence(error);
    }
    if (response.ok) return response;
    const problem = parseJson(await this.#read(response)) as Partial<Problem> | null;
    if (typeof problem?.code !== 'string' || typeof problem.title !== 'string')
      throw this.#stranger(response);
    const { revision, changes } = problem;
    const outdated = revision === undefined ? {} : { outdated: { revision, changes } };
    throw new UsherError(problem.code, problem.detail ?? problem.title, outdated);
  }

  async #read(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw this.#silence(error);
    }
  }

  /** Why no answer came. */
  #silence(error: unknown): Error {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      const seconds = this.#timeoutMs / 1000;
      return new CommandError(
        'timeout',
        `${this.#url} has not answered within ${seconds} s; whether a change was made, usher events tells. --timeout SECONDS waits longer`,
        { cause: error },
      );
    }
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    return new CommandError('unreachable', `no running system answers at ${this.#url} (${cause})`, {
      cause: error,
    });
  }

  #stranger({ status, headers }: Response): Error {
    const type = headers.get('content-type') ?? 'no content type';
    return new CommandError(
      'stranger',
      `${this.#url} answers (${status}, ${type}), but not as the admin API of Usher does; is --admin, or admin.address of the configuration, right?`,
    );
  }
}

/** Null when the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
