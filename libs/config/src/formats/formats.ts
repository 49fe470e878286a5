import type { Place } from '../fault.ts';
import type { MapInput } from '../input/input.ts';
import { connx } from './connx.ts';
import type { KeyedFormat } from './format.ts';
import { haproxy } from './haproxy/haproxy.ts';
import { helios } from './helios.ts';
import { loadBalancer } from './load-balancer.ts';
import { nginx } from './nginx/nginx.ts';
import { opsenAgent } from './opsen-agent.ts';
import { opsenServer } from './opsen-server.ts';
import type { Remarks } from './remarks.ts';
import { velo } from './velo.ts';

/** A system whose configuration files have a grammar of their own. */
export interface Grammar {
  readonly name: string;
  readonly title: string;
  /** Whether a text is one of its files, by what only they have. */
  readonly sniff: (text: string) => boolean;
  /** Undefined when the text cannot be read at all. Never throws. */
  readonly translate: (
    text: string,
    placeAt: (line: number, column: number) => Place,
    remarks: Remarks,
  ) => MapInput | undefined;
}

/** Systems whose files are YAML or JSON. */
export const KEYED_FORMATS: readonly KeyedFormat[] = [
  helios,
  loadBalancer,
  connx,
  velo,
  opsenServer,
  opsenAgent,
];

export const GRAMMARS: readonly Grammar[] = [nginx, haproxy];

/** What `--format` takes, beside `usher`. */
export const FORMAT_NAMES: readonly string[] = [...KEYED_FORMATS, ...GRAMMARS].map(({ name }) => name);
