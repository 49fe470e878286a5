import type { UsherConfig } from '@usher/config';

/** A server that listens where it began to, and goes by what a changed configuration says of those who may call. */
export interface Door {
  /** What would be wrong with it where it listens, which may be elsewhere than the configuration says. */
  fault(config: UsherConfig): string | undefined;
  /** Of a configuration without such a server nothing is taken up: it stays as it is until the process ends. */
  admit(config: UsherConfig): void;
}

/** Answers with what makes all doors go by the configuration. Throws when one would be open to others, or easy to guess. */
export function admission(doors: readonly Door[], config: UsherConfig): () => void {
  for (const door of doors) {
    const fault = door.fault(config);
    if (fault !== undefined) throw new Error(`until this process is started again, ${fault}`);
  }
  return () => {
    for (const door of doors) door.admit(config);
  };
}
