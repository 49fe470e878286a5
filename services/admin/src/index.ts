export { type AdminRoutesOptions, registerAdminRoutes } from './admin-routes.ts';
export type { BreakersView, BreakerView, StandingView } from './breaker-views.ts';
export type { Accepted } from './command-sender.ts';
export { connxMetrics } from './foreign/connx-metrics.ts';
export { registerHeliosRoutes } from './foreign/helios-routes.ts';
export { veloMetrics } from './foreign/velo-metrics.ts';
export { refusalWriter } from './refusal-writer.ts';
export type { Status } from './status.ts';
export type { BackendView, DrainView, GatewayView, PoolSummary, PoolView } from './views.ts';
