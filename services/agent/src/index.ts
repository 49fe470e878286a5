export { type AgentOptions, type AgentSources, startAgent } from './agent.ts';
export type { Registration } from './uplink.ts';
