import type { Change } from './changes.ts';

/** What a configuration would change of a fleet, and of one of its processes. */
export interface ConfigPreview {
  /** Of what the fleet shares. Backends that go drain before that. */
  readonly changes: readonly Change[];
  /** Whether listeners of the process would come, go or be others. */
  readonly listeners: boolean;
  /** Settings of the process that would count only when it starts again. */
  readonly restart: readonly string[];
}

/** A preview of a text, or why that is no configuration. */
export type PreviewAnswer =
  | { readonly preview: ConfigPreview; readonly faults: readonly [] }
  | { readonly preview: null; readonly faults: readonly string[] };
