/** The candidate that was probably meant by a word that is none of them; undefined when none is near. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate), bestDistance);
    if (distance < bestDistance || (distance === bestDistance && best === undefined && wanted.length > 1)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? completion(wanted, candidates);
}

/** `least_conn` is short for `least_connections`. */
function completion(wanted: string, candidates: Iterable<string>): string | undefined {
  if (wanted.length < 3) return undefined;
  for (const candidate of candidates) {
    if (plain(candidate).startsWith(wanted)) return candidate;
  }
  return undefined;
}

/** `request-header`, `requestHeader` and `request_header` are the same word to a person. */
function plain(word: string): string {
  return word.replace(/[-_. ]/g, '').toLowerCase();
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other; stops counting above `most`. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    if (Math.min(...row) > most) return most + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
