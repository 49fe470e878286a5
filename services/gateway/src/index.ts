export { type Gateway, type GatewaySettings, startGateway } from './control/gateway.ts';
