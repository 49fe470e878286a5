/** What HAProxy puts into a text, by what stands between the brackets of `%[…]`. */
const SAMPLES: ReadonlyMap<string, string> = new Map([
  ['src', '{client}'],
  ['unique-id', '{request_id}'],
  ['path', '{path}'],
  ['pathq', '{path}{query}'],
  ['url', '{path}{query}'],
  ['capture.req.uri', '{path}{query}'],
  ['ssl_fc,iif(https,http)', '{scheme}'],
  ['hdr(host)', '{host}'],
]);
/** Those of its log. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['ci', '{client}'],
  ['ID', '{request_id}'],
  ['HP', '{path}'],
  ['HU', '{path}{query}'],
  ['%', '%'],
]);
const QUERY = '%[query]';
const PART = /\?%\[query\]|%\[(?<sample>[^[\]]*)\]|%(?<short>[A-Za-z]+|%)/g;

/** A text with variables as Usher has them; undefined when it has others, or what Usher would take for one. */
export function templateOf(format: string): string | undefined {
  if (/\{[a-z_]+\}/.test(format)) return undefined;
  let isKnown = true;
  const template = format.replaceAll(PART, (whole, ...found) => {
    // Usher's own begins with the question mark, where there is a query.
    if (whole === `?${QUERY}`) return '{query}';
    const { sample, short } = found.at(-1) as Partial<Record<'sample' | 'short', string>>;
    const variable = sample === undefined ? SHORT.get(short ?? '') : SAMPLES.get(plainSample(sample));
    isKnown &&= variable !== undefined;
    return variable ?? '';
  });
  return isKnown ? template : undefined;
}

/** Without what changes the case or the port of a host, which Usher's has not. */
function plainSample(sample: string): string {
  return sample.replace(/^req\./, '').replace(/(?<=^hdr\(host\))(,(lower|host_only|field\(1,:\)))+$/i, '');
}
