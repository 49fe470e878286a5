export { readBackendsFile } from './backends-file.ts';
export { exposure } from './checks-admin.ts';
export { type DefaultFileOptions, defaultFile } from './default-file.ts';
export { type ExplainedValue, explainConfig } from './explain.ts';
export { ConfigError, type Fault, formatFault, formatPlace, type Place } from './fault.ts';
export { FORMAT_NAMES } from './formats/formats.ts';
export { type Imported, importFile } from './formats/import.ts';
export { METRICS_POOL } from './formats/own-pools.ts';
export { formatNote, type Note } from './formats/remarks.ts';
export type { Translation } from './formats/translate.ts';
export { configJsonSchema } from './json-schema.ts';
export { type LoadOptions, loadConfig, type ParseOptions, parseConfigText } from './load.ts';
export type { Override } from './overrides.ts';
export { backendFaults, settingFaults } from './setting-faults.ts';
export type {
  Address,
  AdminSettings,
  AdminToken,
  BusSettings,
  CertificateFiles,
  Listener,
  LocalSettings,
  StoreSettings,
  TlsSettings,
  UsherConfig,
} from './settings.ts';
export { sharedHash } from './shared-hash.ts';
export { tlsSource } from './tls-files.ts';
export { translationOf } from './translated.ts';
export { tokenSecretFault } from './types/jwt-key.ts';
export { readSecret } from './types/secret.ts';
