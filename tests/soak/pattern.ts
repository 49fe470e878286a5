import { createCipheriv } from 'node:crypto';

const PIECE_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(PIECE_BYTES);

/** The same bytes each time, of which no two parts are alike: what is lost, doubled or moved changes the whole. */
export function* pattern(bytes: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    yield cipher.update(left < PIECE_BYTES ? ZEROS.subarray(0, left) : ZEROS);
  }
}
