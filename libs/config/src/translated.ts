import type { Translation } from './formats/translate.ts';
import type { UsherConfig } from './settings.ts';

// Beside the configuration and not in it, so that it stays plain data; gone when the configuration is.
const translations = new WeakMap<UsherConfig, Translation>();

/** Remembers which system's file a configuration was made from. */
export function translated(config: UsherConfig, translation: Translation): UsherConfig {
  translations.set(config, translation);
  return config;
}

/** What the file of another system became; undefined for a configuration from Usher's own. */
export function translationOf(config: UsherConfig): Translation | undefined {
  return translations.get(config);
}
