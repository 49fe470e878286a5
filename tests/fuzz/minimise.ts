/** A text and where it is split. */
export interface Candidate {
  readonly text: string;
  readonly splitAt: number;
}

/** Whether a candidate still shows what is to be shown. */
export type Shows = (text: string, splitAt: number) => Promise<boolean>;

/** Cuts parts out of `text`, long ones first, as long as it still `shows` the same. */
export async function minimise(text: string, splitAt: number, shows: Shows): Promise<Candidate> {
  let best: Candidate = { text, splitAt };
  for (let size = Math.ceil(text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.text.length; ) {
      const shorter = without(best, at, size);
      if (await shows(shorter.text, shorter.splitAt)) best = shorter;
      else at += size;
    }
  }
  return best;
}

function without({ text, splitAt }: Candidate, at: number, size: number): Candidate {
  const moved = splitAt <= at ? splitAt : Math.max(at, splitAt - size);
  const shorter = text.slice(0, at) + text.slice(at + size);
  return { text: shorter, splitAt: Math.min(moved, shorter.length) };
}
