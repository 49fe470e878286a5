/** One line of a chart. */
export interface Series {
  readonly name: string;
  /** Nanoseconds, one for each size. */
  readonly values: readonly number[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 560;
const TOP = 40;
const BOTTOM = 370;
/** Between the baselines of two names. */
const NAME_GAP = 15;
const COLOURS = [
  '#1b6ca8',
  '#c1502e',
  '#3a8f4f',
  '#7b4fa3',
  '#b8860b',
  '#0f8b8d',
  '#a13670',
  '#5b6770',
  '#e07b39',
  '#2f4b7c',
  '#d62728',
];

/** Draws how values grow with sizes, both on logarithmic scales, as an SVG image. */
export function growthChart(sizes: readonly number[], series: readonly Series[]): string {
  const all = series.flatMap(({ values }) => values);
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.ceil(Math.log10(Math.max(...all)));
  const last = Math.log10(sizes.at(-1) ?? 1);
  const x = (size: number): number => Math.round(LEFT + (Math.log10(size) / last) * (RIGHT - LEFT));
  const y = (ns: number): number =>
    Math.round(BOTTOM - ((Math.log10(ns) - low) / (high - low)) * (BOTTOM - TOP));
  const powers = Array.from({ length: high - low + 1 }, (_, each) => 10 ** (low + each));
  const names = spread(series.map(({ values }) => y(values.at(-1) ?? 1)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 20, 'start', 'Nanoseconds to decide a request, by the number of backends'),
    ...powers.flatMap((ns) => [
      `<path d="M${LEFT} ${y(ns)}H${RIGHT}" stroke="#ddd"/>`,
      text(LEFT - 8, y(ns) + 4, 'end', `${ns.toLocaleString('en')} ns`),
    ]),
    ...sizes.map((size) => text(x(size), BOTTOM + 20, 'middle', size.toLocaleString('en'))),
    ...series.flatMap(({ name, values }, at) => {
      const colour = COLOURS[at % COLOURS.length]!;
      const points = sizes.map((size, each) => `${x(size)},${y(values[each] ?? 1)}`).join(' ');
      return [
        `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        text(RIGHT + 8, names[at]! + 4, 'start', name, colour),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, anchor: string, content: string, colour = '#333'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
}

/** Moves heights apart so that names do not cover each other, in the order that they have. */
function spread(heights: readonly number[]): number[] {
  const spaced = [...heights];
  const order = [...heights.keys()].toSorted((a, b) => heights[b]! - heights[a]!);
  let room = BOTTOM;
  for (const at of order) {
    spaced[at] = Math.min(heights[at]!, room);
    room = spaced[at] - NAME_GAP;
  }
  return spaced;
}
