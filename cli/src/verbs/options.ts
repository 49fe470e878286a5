import { FORMAT_NAMES } from '@usher/config';
import type { Options } from './verb.ts';

/** What several verbs take, declared once. */

/** For whatever reads a file of another system. */
export const FORMAT_OPTION = {
  format: {
    type: 'string',
    value: 'NAME',
    doc: 'whose configuration it is, when its keys do not tell',
    takes: { words: ['usher', ...FORMAT_NAMES] },
  },
} as const satisfies Options;

/** Flags that lie over such a file. */
export const FOREIGN_FLAGS = {
  value: 'FLAG…',
  doc: 'flags of the system whose configuration it is, over what its file says',
} as const;

/** For whatever reads a configuration. */
export const CONFIG_OPTIONS = {
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    doc: 'the configuration; without it ./usher.yaml when that is there, else all defaults',
    takes: { paths: 'files' },
  },
  set: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    doc: 'a key of the configuration, over what the file and the environment say',
  },
  ...FORMAT_OPTION,
} as const satisfies Options;

export const JSON_OPTION = {
  json: { type: 'boolean', doc: 'print JSON, for programs' },
} as const satisfies Options;

/** For whatever runs services, or looks at what they need. */
export const ONLY_OPTION = {
  only: {
    type: 'string',
    value: 'SERVICE,…',
    multiple: true,
    doc: 'only these of gateway, scheduler, health and collector',
  },
} as const satisfies Options;

/** For whatever talks to a running system. */
export const ADMIN_OPTIONS = {
  ...CONFIG_OPTIONS,
  admin: {
    type: 'string',
    value: 'URL',
    doc: 'the admin API, when it is not the one that the configuration names',
  },
  token: {
    type: 'string',
    value: 'T',
    doc: 'the token to show, or better env:NAME or file:PATH, when it is not one of the configuration',
  },
  ca: {
    type: 'string',
    value: 'FILE',
    doc: 'who may sign its certificate, when that is nobody whom the machine knows and no configuration is at hand',
    takes: { paths: 'files' },
  },
  cert: {
    type: 'string',
    value: 'FILE',
    doc: 'the certificate to prove oneself with, when it asks for one',
    takes: { paths: 'files' },
  },
  key: { type: 'string', value: 'FILE', doc: 'the private key of that', takes: { paths: 'files' } },
  timeout: { type: 'string', value: 'SECONDS', doc: 'how long an answer may take', default: '10' },
  ...JSON_OPTION,
} as const satisfies Options;

/** For whatever changes something. */
export const CHANGE_OPTIONS = {
  ...ADMIN_OPTIONS,
  reason: { type: 'string', value: 'TEXT', doc: 'why; it is written into the events' },
  id: {
    type: 'string',
    value: 'ID',
    doc: 'id of the command: sent again with the same id it changes nothing more',
  },
  'if-revision': {
    type: 'string',
    value: 'N',
    doc: 'the revision that was seen; another one refuses the change',
  },
} as const satisfies Options;

/** For the settings of a backend. */
export const BACKEND_OPTIONS = {
  weight: { type: 'string', value: 'N', doc: 'share of the backend in its pool; 0 = none' },
  zone: { type: 'string', value: 'Z', doc: 'zone that the backend is in' },
} as const satisfies Options;

export const PLACE_OPTION = {
  place: {
    type: 'string',
    value: 'LATITUDE,LONGITUDE',
    doc: 'where the backend is, in degrees, such as 52.52,13.40 or =-33.87,151.21',
  },
} as const satisfies Options;
