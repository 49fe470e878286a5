/** What a figure is held to; without one it is only told. */
export interface Bar {
  readonly max?: number;
  readonly min?: number;
}

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly bar: Bar;
}

/** The figures of one program. */
export class Report {
  readonly #name: string;
  readonly #figures: Figure[] = [];
  readonly #startMs = performance.now();

  constructor(name: string) {
    this.#name = name;
    console.log(`${name} …`);
  }

  add(what: string, value: number, unit: string, bar: Bar = {}): void {
    this.#figures.push({ what, value, unit, bar });
    console.log(`  ${line([what, shown(value), unit, verdict({ what, value, unit, bar })])}`);
  }

  /** Prints the table and answers with how many figures miss their bars. */
  print(): number {
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(0);
    console.log(`\n${this.#name}, ${seconds} s\n`);
    console.log('| Figure | Value | Unit | Bar | |\n| --- | ---: | --- | --- | --- |');
    for (const figure of this.#figures) {
      const { what, value, unit, bar } = figure;
      console.log(`| ${what} | ${shown(value)} | ${unit} | ${barText(bar)} | ${verdict(figure)} |`);
    }
    console.log('');
    return this.#figures.filter((figure) => verdict(figure) === 'MISSED').length;
  }
}

function verdict({ value, bar: { max, min } }: Figure): string {
  if (max === undefined && min === undefined) return '';
  // Not a number misses every bar.
  return value <= (max ?? Infinity) && value >= (min ?? -Infinity) ? 'held' : 'MISSED';
}

function barText({ max, min }: Bar): string {
  if (max === min) return max === undefined ? '' : `= ${shown(max)}`;
  return [min === undefined ? '' : `≥ ${shown(min)}`, max === undefined ? '' : `≤ ${shown(max)}`]
    .filter((text) => text !== '')
    .join(', ');
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

function line(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
