export { type Collector, startCollector } from './collector.ts';
export { collectorRoutes } from './collector-routes.ts';
