export { type Gateway, startGateway } from './control/gateway.ts';
export type { GatewaySettings } from './control/gateway-settings.ts';
