/** Where reports go. A report that cannot be sent is not kept: a fresher one follows. */
export interface Reporter {
  send(report: string): void;
  /** Undefined while reports get through, else why they do not. */
  fault(): string | undefined;
  /** Nothing is sent any more. */
  stop(): Promise<void>;
}
