import { BACKEND_OPTIONS, CONFIG_OPTIONS, FOREIGN_FLAGS, ONLY_OPTION, PLACE_OPTION } from './options.ts';
import { verb } from './verb.ts';

/** Verbs that run something until it is stopped. */

export const run = verb({
  name: 'run',
  summary: 'run the load balancer; without a configuration, with three demo backends',
  notes: ['The configuration is one of Usher, or of Helios, load-balancer, ConnX, Velo or Opsen.'],
  options: {
    ...CONFIG_OPTIONS,
    ...ONLY_OPTION,
    workers: { type: 'string', value: 'N', doc: 'threads that serve traffic' },
  },
  behind: FOREIGN_FLAGS,
});

export const agent = verb({
  name: 'agent',
  summary: 'report CPU, memory, disk and GPUs of this machine for a backend',
  notes: [
    'It needs either --url or --nats. Without --register the backend is declared elsewhere.',
    '--pool, --weight, --zone, --place and --geoip are for --register.',
  ],
  options: {
    backend: { type: 'string', value: 'ID', required: true, doc: 'the backend beside which it runs' },
    url: { type: 'string', value: 'URL', doc: 'the admin API to report to' },
    token: { type: 'string', value: 'T', doc: 'its token for that, or better env:NAME or file:PATH' },
    nats: { type: 'string', value: 'URL,…', doc: 'the NATS servers to report to' },
    credentials: {
      type: 'string',
      value: 'FILE',
      doc: 'its credentials for those',
      takes: { paths: 'files' },
    },
    ca: {
      type: 'string',
      value: 'FILE',
      doc: 'who may sign the certificates of either, when that is nobody whom the machine knows',
      takes: { paths: 'files' },
    },
    register: { type: 'string', value: 'URL', doc: 'registers the backend under this URL; needs --pool' },
    pool: { type: 'string', value: 'ID', doc: 'the pool of the backend' },
    ...BACKEND_OPTIONS,
    ...PLACE_OPTION,
    geoip: {
      type: 'string',
      value: 'FILE',
      doc: "a City database in MaxMind's format, in which the machine's public address is looked up",
      takes: { paths: 'files' },
    },
    'public-address': { type: 'string', value: 'A', doc: 'that address, when no interface has it' },
    disk: { type: 'string', value: 'PATH', doc: 'the disk to report', takes: { paths: 'folders' } },
    cgroup: {
      type: 'string',
      value: 'PATH',
      doc: 'the control group to report',
      takes: { paths: 'folders' },
    },
  },
});

export const demoBackend = verb({
  name: 'demo-backend',
  summary: 'run a backend that answers with its name',
  options: {
    port: { type: 'string', value: 'N', required: true, doc: 'the port to listen on' },
    name: { type: 'string', value: 'NAME', required: true, doc: 'its name' },
    host: { type: 'string', value: 'HOST', doc: 'the address to listen on', default: '127.0.0.1' },
  },
});
