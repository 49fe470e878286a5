import type { HistogramSample, Sample } from '@usher/ports';

type Labels = Readonly<Record<string, string>>;

/** Prometheus text format 0.0.4: help and type, then one line a value. */
export function familyHead(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

export function sampleLines(name: string, samples: readonly Sample[]): string {
  let text = '';
  for (const { labels, value } of samples) text += `${name}${braces(pairs(labels))} ${number(value)}\n`;
  return text;
}

/** Counts become cumulative here, as the format wants them; the plain cells are not. */
export function histogramLines(
  name: string,
  bounds: readonly number[],
  samples: readonly HistogramSample[],
): string {
  let text = '';
  for (const { labels, counts, sum } of samples) {
    const own = pairs(labels);
    const separator = own === '' ? '' : ',';
    let total = 0;
    for (let i = 0; i <= bounds.length; i++) {
      total += counts[i] ?? 0;
      const bound = i < bounds.length ? number(bounds[i]!) : '+Inf';
      text += `${name}_bucket{${own}${separator}le="${bound}"} ${total}\n`;
    }
    text += `${name}_sum${braces(own)} ${number(sum)}\n${name}_count${braces(own)} ${total}\n`;
  }
  return text;
}

function braces(inner: string): string {
  return inner === '' ? '' : `{${inner}}`;
}

function pairs(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
