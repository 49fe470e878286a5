/**
 * Gives line and column, both from 1, of offsets in a text. The parser's own counter misses lines in some broken
 * texts, so the text itself is asked.
 */
export function positions(text: string): (offset: number) => [line: number, column: number] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return [low + 1, offset - starts[low]! + 1];
  };
}
