import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type Fault, parseConfigText, type UsherConfig } from '@usher/config';
import { backendSettings, policySettings, poolSettings } from '@usher/events';
import { RecordingLog } from '@usher/testing';
import { isMap, isScalar, parseDocument, visit } from 'yaml';
import { ConfigFollower } from '../../cli/src/process/config-follower.ts';
import { Chance } from '../fuzz/chance.ts';
import { mutateText } from './mutate-text.ts';

const FINDINGS_MAX = 20;
const FILE = 'usher.yaml';
const SURROUNDINGS = { file: FILE, env: { ADMIN_TOKEN: 'a-token-of-some-length' } };

export interface ConfigFuzzOptions {
  /** The files to be changed. */
  readonly texts: readonly string[];
  readonly files: number;
  readonly seed: number;
  readonly onProgress?: (report: ConfigFuzzReport) => void;
}

export interface ConfigFuzzReport {
  files: number;
  refused: number;
  applied: number;
  faults: number;
  readonly findings: { readonly index: number; readonly what: string; readonly text: string }[];
}

/**
 * Gives one running follower of a configuration file so many damaged files, one after the other. Wrong is: an error that
 * is no list of faults; a fault without its place, or without its key where there is one; a configuration that is applied
 * though its file was refused, or is not the one of the file, or that the event log would not take.
 */
export async function fuzzConfig({
  texts,
  files,
  seed,
  onProgress,
}: ConfigFuzzOptions): Promise<ConfigFuzzReport> {
  const chance = new Chance(seed);
  const report: ConfigFuzzReport = { files: 0, refused: 0, applied: 0, faults: 0, findings: [] };
  const process = new FollowedFile(texts[0] ?? '');
  while (report.files < files && report.findings.length < FINDINGS_MAX) {
    const index = report.files++;
    const text = mutateText(chance.pick(texts), chance);
    const what = await process.take(text, report);
    if (what !== undefined) report.findings.push({ index, what, text });
    onProgress?.(report);
  }
  return report;
}

/** A process that goes by a file, as far as it follows it. */
class FollowedFile {
  readonly #follower: ConfigFollower;
  #text: string;
  /** What the process goes by. */
  #inForce: UsherConfig;
  #error: unknown;
  #applications = 0;

  constructor(text: string) {
    this.#text = text;
    this.#inForce = parseConfigText(text, SURROUNDINGS);
    this.#follower = new ConfigFollower({
      config: this.#inForce,
      log: new RecordingLog(),
      health: { refuse: () => {}, accept: () => {} },
      read: async () => this.#read(),
      apply: async (config) => {
        this.#inForce = config;
        this.#applications++;
      },
    });
  }

  /** What is wrong with how the file was taken; undefined when nothing is. */
  async take(text: string, report: ConfigFuzzReport): Promise<string | undefined> {
    const before = this.#inForce;
    this.#text = text;
    this.#error = undefined;
    this.#applications = 0;
    await this.#follower.look();
    report.applied += this.#applications;
    if (this.#error === undefined && !this.#looksPartlyWritten()) return this.#judgeApplied();
    report.refused++;
    if (this.#inForce !== before || this.#applications > 0) return 'a refused file was applied';
    if (this.#error === undefined) return undefined;
    if (!(this.#error instanceof ConfigError)) return `crashed: ${(this.#error as Error).stack}`;
    const { faults } = this.#error;
    report.faults += faults.length;
    if (faults.length === 0) return 'refused without a fault';
    const lines = text.split('\n');
    return faults.map((fault) => faultOf(fault, lines)).find((what) => what !== undefined);
  }

  #read(): UsherConfig {
    try {
      return parseConfigText(this.#text, SURROUNDINGS);
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  /** No word of routes in it, of which there are some: it is left alone, and stays a file without a fault. */
  #looksPartlyWritten(): boolean {
    const { routes } = parseConfigText(this.#text, SURROUNDINGS).shared;
    const said = this.#text.replaceAll(/#.*$/gm, '');
    const isSilent = routes.length === 0 && !/\broutes["']?\s*:/.test(said);
    return this.#applications === 0 && isSilent && this.#inForce.shared.routes.length > 0;
  }

  #judgeApplied(): string | undefined {
    const { shared, local } = parseConfigText(this.#text, SURROUNDINGS);
    if (!isDeepStrictEqual(shared, this.#inForce.shared)) return 'what is in force is not what the file says';
    if (!isDeepStrictEqual(local.listen, this.#inForce.local.listen))
      return 'listeners are not those of the file';
    const { pools, backends, ...policy } = shared;
    const read = [
      ...pools.map((pool) => poolSettings.safeParse(pool)),
      ...backends.map((backend) => backendSettings.safeParse(backend)),
      policySettings.safeParse(policy),
    ];
    const failed = read.find(({ success }) => !success);
    return failed === undefined ? undefined : `the log would not take it: ${failed.error?.message}`;
  }
}

/** Faults of the file as YAML have no key; all others do. */
function faultOf({ place, path, message }: Fault, lines: readonly string[]): string | undefined {
  if (place.kind !== 'file' || place.file !== FILE) return `a fault is not of the file: ${message}`;
  const line = lines[place.line - 1];
  if (line === undefined || place.column < 1 || place.column > line.length + 1)
    return `a fault is not inside the file, at ${place.line}:${place.column}: ${message}`;
  return path === '' && isSound(lines.join('\n')) ? `a fault names no key: ${message}` : undefined;
}

/** Whether the text is one map in YAML whose keys all have names, by a reader that knows nothing of configurations. */
function isSound(text: string): boolean {
  const document = parseDocument(text, { stringKeys: true });
  if (document.errors.length > 0 || document.warnings.length > 0 || !isMap(document.contents)) return false;
  let nameless = false;
  visit(document, {
    Pair(_key, pair) {
      nameless ||= !isScalar(pair.key) || pair.key.value === null || pair.key.value === '';
    },
  });
  try {
    document.toJS();
    return !nameless;
  } catch {
    return false;
  }
}
