import type { Door } from '../exposure.ts';
import { linesOf, optionOf, type Section } from './sections.ts';

/** An address of `bind`: its host and its port. */
export const BIND_ADDRESS = /^(?:ipv[46]@)?(\[[0-9A-Fa-f:.]*\]|[A-Za-z0-9._-]*|\*|::):([0-9]{1,5})$/;

/** The host of an address as listeners have it. */
export function listenerHost(host: string): string {
  if (host === '' || host === '*') return '0.0.0.0';
  return host === '::' ? '[::]' : host;
}

/** Where clients come to a section. */
export function doorsOf(section: Section): readonly Door[] {
  return linesOf(section, 'bind').flatMap(({ args: [addresses, ...options] }) => {
    const verify = optionOf(options, 'verify')?.text;
    const clientCa = verify === 'required' ? (optionOf(options, 'ca-file')?.text ?? '') : undefined;
    return (addresses?.text.split(',') ?? []).map((written) => {
      const host = BIND_ADDRESS.exec(written)?.[1];
      return { host: host === undefined ? undefined : listenerHost(host), clientCa };
    });
  });
}
