import { ConfigError } from '../fault.ts';
import { type ParseOptions, parseConfigText } from '../load.ts';

/** The faults of a configuration as a person sees them, without the name of the file; empty when it has none. */
export function faultsOf(text: string, options: ParseOptions = {}): string[] {
  try {
    parseConfigText(text, { file: 'f', ...options });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').map((line) => line.replace(/^f:/, ''));
    throw error;
  }
}
