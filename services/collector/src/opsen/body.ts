/** What an Opsen client is refused with: a status and one line of text. */
export class OpsenRefusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.name = 'OpsenRefusal';
    this.status = status;
  }
}

type Limits = { readonly min?: number; readonly max?: number };

/** A JSON object from a client. Whatever cannot be meant is refused with 400; what is null counts as left out. */
export class Body {
  readonly #fields: Readonly<Record<string, unknown>>;
  /** Where it is in the whole, for people. */
  readonly #at: string;

  constructor(value: unknown, at = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new OpsenRefusal(
        400,
        `Invalid JSON body: ${at === '' ? 'expected an object' : `${at} is no object`}`,
      );
    this.#fields = value as Record<string, unknown>;
    this.#at = at;
  }

  /** Reads a whole body. */
  static parse(text: string): Body {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new OpsenRefusal(400, `Invalid JSON body: ${(error as Error).message}`);
    }
    return new Body(value);
  }

  text(name: string, lengthMax = 1024): string | undefined {
    const value = this.#get(name);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string' || value.length > lengthMax)
      throw this.#invalid(name, `a text of up to ${lengthMax} characters`);
    return value;
  }

  required(name: string, lengthMax?: number): string {
    const value = this.text(name, lengthMax);
    if (value === undefined) throw new OpsenRefusal(400, `Missing required field: ${this.#at}${name}`);
    return value;
  }

  number(name: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Limits = {}): number | undefined {
    const value = this.#get(name);
    return value === undefined ? undefined : this.#number(name, value, { min, max });
  }

  numbers(name: string, limits: Limits): number[] {
    return this.#list(name).map((value) => this.#number(name, value, limits));
  }

  objects(name: string): Body[] {
    return this.#list(name).map((value, index) => new Body(value, `${this.#at}${name}[${index}].`));
  }

  texts(name: string): string[] {
    return this.#list(name).filter((value) => typeof value === 'string');
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  #list(name: string): readonly unknown[] {
    const value = this.#get(name) ?? [];
    if (!Array.isArray(value)) throw this.#invalid(name, 'a list');
    return value;
  }

  #number(name: string, value: unknown, { min = 0, max = Number.MAX_SAFE_INTEGER }: Limits): number {
    if (typeof value !== 'number' || !(value >= min && value <= max))
      throw this.#invalid(name, `a number from ${min} to ${max}`);
    return value;
  }

  #invalid(name: string, expected: string): OpsenRefusal {
    return new OpsenRefusal(400, `Invalid JSON body: ${this.#at}${name}: expected ${expected}`);
  }
}
