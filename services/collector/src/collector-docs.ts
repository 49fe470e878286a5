import { agentReport, backendSettings } from '@usher/events';
import { declareRoute, described, type JsonSchema, TEXT } from '@usher/runtime';

/** Routes for agents: whoever calls has a token for this backend, or is an operator. */

const path = { backend: described('The backend beside which the agent runs', TEXT) };

export const REPORT = declareRoute('agent', {
  name: 'reportStats',
  summary: 'Take what an agent reports of its machine',
  path,
  body: { schema: agentReport.toJSONSchema() as JsonSchema, required: true },
  answer: { description: 'Taken', status: 204 },
  refusals: ['log_unavailable'],
});

export const REGISTER = declareRoute('agent', {
  name: 'registerBackend',
  summary: 'Register the backend of an agent in a pool that takes agents',
  notes: 'What a file or an operator declared is never touched.',
  path,
  body: { schema: settingsOfAgent(), required: true },
  answer: { description: 'Registered, durably', status: 204 },
  refusals: ['conflict', 'no_leader', 'log_unavailable'],
});

export const DEREGISTER = declareRoute('agent', {
  name: 'deregisterBackend',
  summary: 'Drain the backend of an agent and take it away',
  path,
  answer: { description: 'On its way', status: 204 },
  refusals: ['no_leader', 'log_unavailable'],
});

/** Its id is the path's, and its weight is 1 unless it says otherwise. */
function settingsOfAgent(): JsonSchema {
  const {
    title: _title,
    properties = {},
    required = [],
    ...rest
  } = backendSettings.toJSONSchema() as JsonSchema;
  const { id: _id, ...others } = properties;
  const needed = required.filter((name) => name !== 'id' && name !== 'weight');
  return { ...rest, properties: others, required: needed };
}
