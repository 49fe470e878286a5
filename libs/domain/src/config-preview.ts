/** Of one kind of thing, what a configuration would change. */
export interface NamedChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** With the names of the settings that would have other values. */
  readonly changed: readonly { readonly id: string; readonly settings: readonly string[] }[];
}

/** What a configuration would change of what the fleet shares. */
export interface SharedPreview {
  readonly pools: NamedChanges;
  /** Those that go drain before that. */
  readonly backends: NamedChanges;
  readonly routes: NamedChanges;
  /** Settings beside all these. */
  readonly settings: readonly string[];
}

/** What a configuration would change of a fleet, and of one of its processes. */
export interface ConfigPreview extends SharedPreview {
  /** Whether listeners of the process would come, go or be others. */
  readonly listeners: boolean;
  /** Settings of the process that would count only when it starts again. */
  readonly restart: readonly string[];
}

/** A preview of a text, or why that is no configuration. */
export type PreviewAnswer =
  | { readonly preview: ConfigPreview; readonly faults: readonly [] }
  | { readonly preview: null; readonly faults: readonly string[] };
