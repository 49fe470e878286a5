export { startGateway } from './control/gateway.ts';
export type { Gateway, GatewaySettings } from './control/gateway-settings.ts';
export type { Inherit } from './control/listeners.ts';
