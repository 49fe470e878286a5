import { ConfigError, formatFault, readBackendsFile } from '@usher/config';
import { type BackendFiles, type Clock, FaultyFileError, type Log } from '@usher/ports';
import { FileWatch } from '@usher/runtime';

/** Files of backends on this machine's disk. */
export function backendFiles(clock: Clock, log: Log): BackendFiles {
  return {
    async read(file, pool) {
      try {
        return await readBackendsFile(file, pool);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new FaultyFileError(error.faults.map(formatFault), { cause: error });
      }
    },
    watch: (file, onChange) => new FileWatch([file], clock, log, onChange),
  };
}
