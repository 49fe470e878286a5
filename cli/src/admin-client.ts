import { type Problem, UsherError } from '@usher/domain';
import { type Io, UsageError } from './io.ts';
import { type ConfigArguments, readConfig } from './read-config.ts';

export interface AdminArguments extends ConfigArguments {
  readonly admin?: string | undefined;
  readonly token?: string | undefined;
}

/** The admin API of a running system. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Finds the system by `--admin`, or else by the configuration. */
  static async find(args: AdminArguments, io: Io): Promise<AdminClient> {
    if (args.admin !== undefined) {
      if (!URL.canParse(args.admin)) throw new UsageError(`--admin takes a URL, not ${args.admin}`);
      return new AdminClient(args.admin, args.token);
    }
    const { admin } = (await readConfig(args, io)).local;
    if (admin === null) throw new UsageError('the configuration has no admin server; name one with --admin');
    const host = admin.host === '0.0.0.0' || admin.host === '::' ? '127.0.0.1' : admin.host;
    const token =
      args.token ??
      admin.tokens.find(({ role }) => role === 'admin')?.secret ??
      admin.tokens.find(({ role }) => role !== 'agent')?.secret;
    return new AdminClient(`http://${host.includes(':') ? `[${host}]` : host}:${admin.port}`, token);
  }

  async get(path: string): Promise<unknown> {
    const response = await this.open(path);
    return await response.json();
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await this.#fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' },
    });
    return await response.json();
  }

  /** A GET whose answer is read piece by piece. */
  async open(path: string): Promise<Response> {
    return await this.#fetch(path, {});
  }

  async #fetch(
    path: string,
    init: { method?: string; body?: string; headers?: Record<string, string> },
  ): Promise<Response> {
    const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    let response: Response;
    try {
      response = await fetch(this.#url + path, { ...init, headers: { ...init.headers, ...authorization } });
    } catch (error) {
      const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      throw new UsherError('not_found', `no running system answers at ${this.#url} (${cause})`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    throw await refusal(response);
  }
}

async function refusal(response: Response): Promise<UsherError> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Problem;
    return new UsherError(problem.code, problem.detail ?? problem.title);
  } catch {
    return new UsherError('internal', `the answer was ${response.status}: ${text.slice(0, 200)}`);
  }
}
