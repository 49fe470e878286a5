export type { DeclaredConfig } from './decide-config.ts';
export { decideConfig } from './decide-config.ts';
export { previewWhole } from './decide-whole.ts';
export { previewConfig } from './preview-config.ts';
export { Scheduler, type SchedulerOptions } from './scheduler.ts';
