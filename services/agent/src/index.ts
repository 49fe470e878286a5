export { type AgentOptions, type AgentSources, startAgent } from './agent.ts';
