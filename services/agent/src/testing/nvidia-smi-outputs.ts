/**
 * What `nvidia-smi --query-gpu=index,count,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw
 * --format=csv,noheader,nounits` prints for cards and drivers of several kinds, as its documentation has it.
 */
export const NVIDIA_SMI = {
  twoCards: `0, 2, 37, 1024, 24564, 61, 143.52
1, 2, 100, 24000, 24564, 83, 449.90`,
  /** A card without a power meter. Drivers before 450 or so write this where later ones write [N/A]. */
  oldCard: '0, 1, 12, 301, 2002, 44, [Not Supported]',
  /** A slice of a card that a hypervisor gives to a guest. */
  virtualCard: '0, 1, 5, 1040, 8192, N/A, [N/A]',
  /** In MIG mode the whole card has no utilisation. */
  instances: '0, 1, [N/A], 36864, 81920, 33, 87.12',
  /** A system on a chip: processor and GPU share their memory. */
  sharedMemory: '0, 1, 3, [N/A], [N/A], 38, 4.21',
  oneLost: `0, 3, 10, 500, 16384, 40, 70.00
1, 3, [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error]
2, 3, 30, 500, 16384, 42, 80.00`,
  /** The second of three cannot be asked: instead of its line there is a sentence. */
  oneGone: `0, 3, 10, 500, 16384, 40, 70.00
Unable to determine the device handle for GPU0000:65:00.0: Unknown Error
2, 3, 30, 500, 16384, 42, 80.00
0, 3, 10, 500, 16384, 40, 70.00`,
  noDriver: `NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.
Make sure that the latest NVIDIA driver is installed and running.`,
  noDevices: 'No devices were found',
  unknownField: 'Field "power.draw" is not a valid field to query.',
} as const;
