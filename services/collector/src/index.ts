export { type Collector, startCollector } from './collector.ts';
export { collectorRoutes } from './collector-routes.ts';
export { type OpsenServer, type OpsenServerOptions, startOpsenServer } from './opsen/opsen-server.ts';
