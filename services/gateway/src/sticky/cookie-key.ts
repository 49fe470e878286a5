import { createHmac } from 'node:crypto';

export const MAC_BYTES = 16;
export const TAG_BYTES = 8;

/** More tags than this for each backend that there is are of backends that there were. */
const TAGS_PER_BACKEND_MAX = 4;
const TAGS_MIN = 1000;

/** What the cookies of one pool are made with, of one secret. */
export class CookieKey {
  /** Names the key in cookies, and says nothing of the secret. */
  readonly mark: number;
  readonly #signing: Buffer;
  readonly #tagging: Buffer;
  readonly #tags = new Map<string, string>();
  readonly #backends = new Map<string, string>();

  constructor(secret: string, pool: string) {
    this.mark = derived(secret, 'mark')[0]!;
    // Of the pool, so that a cookie of one means nothing to another.
    this.#signing = derived(secret, `sign ${pool}`);
    this.#tagging = derived(secret, `backend ${pool}`);
  }

  sign(payload: Buffer): Buffer {
    return createHmac('sha256', this.#signing).update(payload).digest().subarray(0, MAC_BYTES);
  }

  /** Stands for a backend in cookies, as latin1: without the secret nobody can tell which one it is. */
  tagOf(backend: string): string {
    let tag = this.#tags.get(backend);
    if (tag !== undefined) return tag;
    const mac = createHmac('sha256', this.#tagging).update(backend).digest();
    tag = mac.toString('latin1', 0, TAG_BYTES);
    this.#tags.set(backend, tag);
    this.#backends.set(tag, backend);
    return tag;
  }

  /** The backend that a tag stands for, if it is one of these or was asked for before. */
  backendOf(tag: string, backends: readonly { readonly id: string }[]): string | undefined {
    const known = this.#backends.get(tag);
    if (known !== undefined) return known;
    if (this.#tags.size > TAGS_MIN + TAGS_PER_BACKEND_MAX * backends.length) {
      this.#tags.clear();
      this.#backends.clear();
    }
    for (const { id } of backends) this.tagOf(id);
    return this.#backends.get(tag);
  }
}

function derived(secret: string, purpose: string): Buffer {
  return createHmac('sha256', secret).update(`usher cookie: ${purpose}`).digest();
}
