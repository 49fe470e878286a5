/** What nginx puts into a text, as Usher has it. */
const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['remote_addr', '{client}'],
  ['request_id', '{request_id}'],
  ['scheme', '{scheme}'],
  ['host', '{host}'],
  ['request_uri', '{path}{query}'],
]);
/** Where clients are sent the port of the host does not matter, nor how a path was written. */
const OF_URLS: ReadonlyMap<string, string> = new Map([
  ...VARIABLES,
  ['http_host', '{host}'],
  ['uri', '{path}'],
  ['document_uri', '{path}'],
]);

/** A text with variables; undefined when it has others, or what Usher would take for one. */
export function templateOf(text: string): string | undefined {
  return filled(text, VARIABLES);
}

/** A URL with variables. */
export function urlTemplateOf(text: string, serverName: string | undefined): string | undefined {
  // Usher's query has its question mark, where there is one.
  const query = text.replaceAll(/(\?|\$\{?is_args\}?)\$\{?(args|query_string)\}?/g, '$${request_query}');
  return filled(
    query,
    new Map([...OF_URLS, ['request_query', '{query}'], ['server_name', serverName ?? '']]),
  );
}

function filled(text: string, variables: ReadonlyMap<string, string>): string | undefined {
  if (hasBraces(text)) return undefined;
  let isKnown = true;
  const template = text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced?: string, bare?: string) => {
    const variable = variables.get(braced ?? bare ?? '') ?? '';
    isKnown &&= variable !== '';
    return variable;
  });
  return isKnown ? template : undefined;
}

/** Whether Usher would take a part of a text for one of its variables. */
export function hasBraces(text: string): boolean {
  return /\{[a-z_]+\}/.test(text.replaceAll('${', '$'));
}
