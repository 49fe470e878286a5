import type { z } from 'zod';

/** Whether a value is certainly valid and stays as it is. False means "ask the schema", not "invalid". */
export type Recogniser = (value: unknown) => boolean;

/** What is read of a schema's definition. */
interface Definition {
  readonly type: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
}

interface Check {
  readonly check: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly maximum?: number;
}

const refuse: Recogniser = () => false;

/**
 * Derives from a schema a function that recognises valid values out of JSON, several times faster than the schema
 * parses them and without a copy. It never accepts what the schema would refuse or change; whatever it does not know
 * how to check it leaves to the schema.
 */
export function recogniserOf(schema: z.ZodType): Recogniser {
  const definition = definitionOf(schema);
  const checks = (definition.checks ?? []).map(({ _zod }) => _zod.def);
  switch (definition.type) {
    case 'string':
      return stringRecogniser(checks);
    case 'number':
      return numberRecogniser(checks);
    case 'boolean':
      return checks.length === 0 ? (value) => typeof value === 'boolean' : refuse;
    case 'enum':
      return memberOf(Object.values(definition.entries ?? {}));
    case 'literal':
      return memberOf(definition.values ?? []);
    case 'array':
      return arrayRecogniser(definition, checks);
    case 'object':
      return checks.length === 0 ? objectRecogniser(definition) : refuse;
    case 'union': {
      const options = (definition.options ?? []).map(recogniserOf);
      return (value) => options.some((recognises) => recognises(value));
    }
    default:
      return refuse;
  }
}

/** Zod's own types tell the schemas apart by class; here the definition is enough. */
function definitionOf(schema: z.ZodType): Definition {
  const definition: unknown = schema._zod.def;
  return definition as Definition;
}

function memberOf(values: readonly unknown[]): Recogniser {
  const members = new Set(values);
  return (value) => members.has(value);
}

function stringRecogniser(checks: readonly Check[]): Recogniser {
  let lengthMax = Number.POSITIVE_INFINITY;
  let wanted: RegExp | undefined;
  for (const { check, format, pattern, maximum = 0 } of checks) {
    if (check === 'max_length') {
      lengthMax = Math.min(lengthMax, maximum);
    } else if (
      check === 'string_format' &&
      format === 'regex' &&
      wanted === undefined &&
      isStateless(pattern)
    ) {
      wanted = pattern;
    } else {
      return refuse;
    }
  }
  if (wanted === undefined) return (value) => typeof value === 'string' && value.length <= lengthMax;
  const pattern = wanted;
  return (value) => typeof value === 'string' && value.length <= lengthMax && pattern.test(value);
}

/** A pattern that remembers where it stopped answers differently each time. */
function isStateless(pattern: RegExp | undefined): boolean {
  return pattern !== undefined && !pattern.global && !pattern.sticky;
}

function numberRecogniser(checks: readonly Check[]): Recogniser {
  let isInteger = false;
  let least = -Number.MAX_VALUE;
  let most = Number.MAX_VALUE;
  for (const { check, format, value = 0, inclusive = false } of checks) {
    if (check === 'number_format' && format === 'safeint') isInteger = true;
    else if (check === 'greater_than' && inclusive) least = Math.max(least, value);
    // More than a whole number is the next one at least, if only whole numbers count.
    else if (check === 'greater_than' && isInteger && Number.isInteger(value))
      least = Math.max(least, value + 1);
    else if (check === 'less_than' && inclusive) most = Math.min(most, value);
    else return refuse;
  }
  if (isInteger) {
    return (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  }
  return (value) => typeof value === 'number' && value >= least && value <= most;
}

function arrayRecogniser({ element }: Definition, checks: readonly Check[]): Recogniser {
  if (element === undefined || checks.some(({ check }) => check !== 'max_length')) return refuse;
  const lengthMax = Math.min(...checks.map(({ maximum = 0 }) => maximum));
  const recognises = recogniserOf(element);
  return (value) => {
    if (!Array.isArray(value) || value.length > lengthMax) return false;
    for (let index = 0; index < value.length; index++) {
      if (!recognises(value[index])) return false;
    }
    return true;
  };
}

/** Only objects that refuse keys they do not name. */
function objectRecogniser({ shape = {}, catchall }: Definition): Recogniser {
  if (catchall?._zod.def.type !== 'never') return refuse;
  const members = Object.entries(shape).map(([key, schema]) => {
    const { type, innerType } = definitionOf(schema);
    const isOptional = type === 'optional' && innerType !== undefined;
    return { key, isOptional, recognises: recogniserOf(isOptional ? innerType : schema) };
  });
  const memberByKey = new Map(members.map((member) => [member.key, member]));
  const required = members.filter(({ isOptional }) => !isOptional).length;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    let missing = required;
    let next = 0;
    for (const key in value) {
      // Keys mostly come in the order of the schema, which saves looking them up.
      let member = members[next++];
      if (member?.key !== key) member = memberByKey.get(key);
      if (member === undefined || !member.recognises((value as Record<string, unknown>)[key])) return false;
      if (!member.isOptional) missing -= 1;
    }
    return missing === 0;
  };
}
