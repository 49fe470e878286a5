import {
  type ClientLocationSettings,
  DEFAULT_SCORING,
  type Resources,
  type ScoringSettings,
  type Tier,
} from '@usher/domain';
import { mapped } from '../types/collections.ts';
import { fieldName, id } from '../types/names.ts';
import { decimalNumber, wholeNumber } from '../types/scalar.ts';
import { defaulted, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { size } from '../types/units.ts';

const amount = size({ min: '0B', max: '1048576GiB' });
const vcpu = decimalNumber({ min: 0, max: 4096 });
const gpus = wholeNumber({ min: 0, max: 64 });

interface Amounts {
  readonly vcpu: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly gpus: number;
  readonly bytesPerGpu: number;
}

function resourcesOf({ vcpu, memoryBytes, storageBytes, gpus, bytesPerGpu }: Amounts): Resources {
  const gpuMemoryBytes = gpus * bytesPerGpu;
  return { milliCpu: Math.round(1000 * vcpu), memoryBytes, storageBytes, gpus, gpuMemoryBytes };
}

function amountsOf({ milliCpu, gpuMemoryBytes, ...rest }: Resources): Amounts {
  return { ...rest, vcpu: milliCpu / 1000, bytesPerGpu: gpuMemoryBytes / Math.max(1, rest.gpus) };
}

/** What a request of a tier needs. */
export const tier: Type<Tier> = mapped(
  section({
    name: required({ to: 'name', type: id, doc: 'Name of the tier, by which requests ask for it.' }),
    vcpu: defaulted(0, {
      to: 'vcpu',
      type: vcpu,
      doc: 'Cores that must be less than 80 % busy, in steps of a thousandth.',
    }),
    memory: defaulted('0B', { to: 'memoryBytes', type: amount, doc: 'Memory that must be free.' }),
    storage: defaulted('0B', { to: 'storageBytes', type: amount, doc: 'Disk space that must be free.' }),
    gpus: defaulted(0, { to: 'gpus', type: gpus, doc: 'GPUs, each for this request alone.' }),
    gpu_memory: defaulted('0B', {
      to: 'bytesPerGpu',
      type: amount,
      doc: 'Memory that must be free on each of these GPUs.',
      why: 'Memory that is free on several cards together is of no use to a model that must fit on one.',
    }),
  }),
  (given, _path, reading): Tier => {
    if (given.bytesPerGpu > 0 && given.gpus === 0)
      reading.complain(given, 'gpu_memory', 'this is memory of GPUs, but the tier has none; set gpus');
    return { name: given.name, resources: resourcesOf(given) };
  },
  ({ name, resources }) => ({ name, ...amountsOf(resources) }),
);

/** What reservations may fill of a backend. */
export const capacity: Type<Resources> = mapped(
  section({
    vcpu: defaulted(0, { to: 'vcpu', type: vcpu, doc: 'Cores.' }),
    memory: defaulted('0B', { to: 'memoryBytes', type: amount, doc: 'Memory.' }),
    storage: defaulted('0B', { to: 'storageBytes', type: amount, doc: 'Disk space.' }),
    gpus: defaulted(0, { to: 'gpus', type: gpus, doc: 'GPUs.' }),
    gpu_memory: defaulted('0B', { to: 'bytesPerGpu', type: amount, doc: 'Memory of each GPU.' }),
  }),
  resourcesOf,
  amountsOf,
);

const weight = decimalNumber({ min: 0, max: 1000 });

/** What the parts of a backend's score count. */
export const scoring: Type<ScoringSettings> = section({
  distance: defaulted(DEFAULT_SCORING.distance, {
    to: 'distance',
    type: weight,
    doc: 'What a kilometre between client and backend counts.',
  }),
  cpu: defaulted(DEFAULT_SCORING.cpu, {
    to: 'cpu',
    type: weight,
    doc: 'What a percent of the mean load of the cores counts that the request would get: as many of the least loaded as its tier has, or all when it has none.',
  }),
  memory: defaulted(DEFAULT_SCORING.memory, {
    to: 'memory',
    type: weight,
    doc: 'What a percent of memory in use counts.',
  }),
  gpu: defaulted(DEFAULT_SCORING.gpu, {
    to: 'gpu',
    type: weight,
    doc: 'What a percent of the mean load of all GPUs counts, for tiers with GPUs only.',
  }),
  latency: defaulted(DEFAULT_SCORING.latency, {
    to: 'latency',
    type: weight,
    doc: 'What a millisecond of the moving average of latency counts.',
  }),
});

/** Where a trusted proxy tells the place of a client. */
export const clientLocation: Type<ClientLocationSettings> = mapped(
  section({
    latitude_header: required({
      to: 'latitudeHeader',
      type: fieldName,
      doc: 'Header with the degrees north of the equator, negative south of it, such as `CloudFront-Viewer-Latitude`.',
    }),
    longitude_header: required({
      to: 'longitudeHeader',
      type: fieldName,
      doc: 'Header with the degrees east of the prime meridian, negative west of it.',
    }),
  }),
  ({ latitudeHeader, longitudeHeader }): ClientLocationSettings => ({
    latitudeHeader: latitudeHeader.toLowerCase(),
    longitudeHeader: longitudeHeader.toLowerCase(),
  }),
);
