import type { Input } from '../input/input.ts';
import { map, series, size, value } from './draft.ts';
import type { Given } from './foreign-file.ts';
import type { OpsenFile } from './opsen-keys.ts';

const GIB = 2 ** 30;

/** What Opsen has when a file declares no tiers: cores, memory and storage in GiB. */
const DEFAULTS = [
  ['free', 1, 1, 0],
  ['lite', 1, 1, 5],
  ['pro-standard', 2, 4, 20],
  ['pro-turbo', 4, 8, 30],
  ['pro-max', 8, 16, 40],
] as const;

/** The tiers of a file; of two with one name the later one counts, as in Opsen. */
export function tiers(file: OpsenFile): Input {
  const declared = file.items('tiers').map(tier);
  if (declared.length === 0) {
    return series(
      DEFAULTS.map(([name, vcpu, memory, storage]) =>
        map({
          name: value(name),
          vcpu: value(vcpu),
          memory: value(`${memory}GiB`),
          storage: value(`${storage}GiB`),
        }),
      ),
    );
  }
  const last = new Map(declared.map(({ name, settings }) => [name, settings]));
  return series([...last.values()], file.placeOf('tiers'));
}

function tier(item: OpsenFile): { readonly name: string; readonly settings: Input } {
  const name = item.get('tiers[].name');
  if (name.value === undefined) item.remarks.fault(name.path, item.at, 'a tier needs its name');
  const [vcpu, gpus, gpuMemory] = [
    item.get('tiers[].vcpu'),
    item.get('tiers[].gpu'),
    item.get('tiers[].gpu_memory_gb'),
  ];
  const each = gpus.value === 0 ? 0 : gpuMemory.value / gpus.value;
  if (gpus.value > 1 && each > 0) {
    const message = `memory of all cards together in Opsen, ${size(Math.ceil(each * GIB))} of each card here`;
    item.remarks.changed(gpuMemory.path, gpuMemory.at, message);
  } else if (gpus.value === 0 && gpuMemory.value > 0) {
    item.remarks.lost(gpuMemory.path, gpuMemory.at, 'a tier without GPUs needs no memory of theirs');
  }
  const settings = map(
    {
      name: value(name.value ?? 'unnamed', name.at),
      vcpu: value(vcpu.value, vcpu.at),
      memory: gibibytes(item.get('tiers[].memory_gb')),
      storage: gibibytes(item.get('tiers[].storage_gb')),
      gpus: gpus.value === 0 ? undefined : value(gpus.value, gpus.at),
      gpu_memory: each === 0 ? undefined : value(size(Math.ceil(each * GIB)), gpuMemory.at),
    },
    item.at,
  );
  return { name: name.value ?? '', settings };
}

function gibibytes({ value: count, at }: Given<number>): Input {
  return value(count === 0 ? '0B' : size(Math.ceil(count * GIB)), at);
}
