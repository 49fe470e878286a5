export { type AdminRoutesOptions, registerAdminRoutes } from './admin-routes.ts';
export type { Accepted } from './command-sender.ts';
export type { Status } from './status.ts';
export type { BackendView, GatewayView, PoolSummary, PoolView } from './views.ts';
