import { type Resolver, systemResolver } from './resolver.ts';
import { type StartWorker, WorkerThread } from './worker-thread.ts';

/** What a gateway has from its machine beside the ports that all services have. */
export interface Outside {
  readonly resolver: Resolver;
  readonly startWorker: StartWorker;
}

export const SYSTEM: Outside = {
  resolver: systemResolver,
  startWorker: (...worker) => new WorkerThread(...worker),
};
