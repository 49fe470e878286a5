import { formatPlace } from './fault.ts';
import type { Leaf } from './reading.ts';
import type { UsherConfig } from './settings.ts';

/** One effective value and where it comes from. */
export interface ExplainedValue {
  /** The key, such as `pools.web.strategy`. */
  readonly path: string;
  /** As one would write it; secrets and options of plugins are hidden. */
  readonly value: string;
  /** `default`, `file:line:column`, `env NAME` or `flag --set key`. */
  readonly origin: string;
}

// Beside the configuration and not in it, so that it stays plain data; gone when the configuration is.
const explanations = new WeakMap<UsherConfig, readonly Leaf[]>();

/** Remembers where the values of a configuration come from. */
export function explainable(config: UsherConfig, leaves: readonly Leaf[]): UsherConfig {
  explanations.set(config, leaves);
  return config;
}

/** Every value of a loaded configuration with its origin; empty for one that was not loaded from text. */
export function explainConfig(config: UsherConfig): readonly ExplainedValue[] {
  const leaves = explanations.get(config) ?? [];
  return leaves.map(({ path, value, place }) => ({ path, value, origin: formatPlace(place) }));
}
