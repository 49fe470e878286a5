import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig, type UsherConfig } from '@usher/config';
import { type Io, UsageError } from './io.ts';

/** What a command was told about its configuration. */
export interface ConfigArguments {
  readonly config?: string | undefined;
  readonly set?: readonly string[] | undefined;
  /** Which system's file it is; found out by its keys when it is not given. */
  readonly format?: string | undefined;
  /** Flags of that system. */
  readonly flags?: readonly string[] | undefined;
  /** An empty file is a fault. */
  readonly notEmpty?: boolean | undefined;
  /** Modules of plugins are run, not only read. */
  readonly runPlugins?: boolean | undefined;
}

const DEFAULT_FILE = 'usher.yaml';

/** The file that was named, else `./usher.yaml` when it is there, else none: all defaults. */
export function configFile(given: string | undefined, io: Io): string | undefined {
  if (given !== undefined) return path.resolve(io.cwd, given);
  const standard = path.join(io.cwd, DEFAULT_FILE);
  return existsSync(standard) ? standard : undefined;
}

/** Loads the configuration with environment and flags on top; `text` stands in for what is in the file. Throws ConfigError with all faults. */
export async function readConfig(args: ConfigArguments, io: Io, text?: string): Promise<UsherConfig> {
  const file = configFile(args.config, io);
  return await loadConfig({
    file,
    text: text ?? (file === undefined ? '' : undefined),
    env: io.env,
    overrides: (args.set ?? []).map(parseOverride),
    hostname: io.hostname,
    format: args.format,
    flags: args.flags,
    notEmpty: args.notEmpty,
    runPlugins: args.runPlugins,
  });
}

function parseOverride(flag: string): { path: string; value: string } {
  const at = flag.indexOf('=');
  if (at < 1) throw new UsageError(`--set takes key.path=value, not ${flag}`);
  return { path: flag.slice(0, at), value: flag.slice(at + 1) };
}
