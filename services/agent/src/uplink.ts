import type { BackendSettings } from '@usher/domain';

/** What an agent says of the backend beside it when it registers it. */
export type Registration = Omit<BackendSettings, 'id'>;

/**
 * The agent's way to the fleet. What is refused rejects with a UsherError: `not_found` when the fleet does not know the
 * backend; what does not get through at all rejects with any error.
 */
export interface Uplink {
  /** Resolves when the report, JSON text, was taken, as far as this way tells. */
  report(report: string): Promise<void>;
  /** Resolves when the registration is durable; one that changes nothing is fine. */
  register(registration: Registration): Promise<void>;
  /** The fleet drains the backend and forgets it. */
  deregister(): Promise<void>;
  /** Gives up what is under way; it rejects. */
  abort(): void;
  close(): void;
}
