import { type Engine, field, items, openWhen, text } from '../engine.ts';

/** Asks for no token unless that was switched on (0.4.0 or newer); listens beyond this machine by "Serve on Local Network". */
export const lmStudio: Engine = {
  name: 'lm-studio',
  title: 'LM Studio',
  ports: [1234],
  signals: [
    {
      path: '/api/v1/models',
      of: ({ json }) =>
        items(json, 'models').some((m) => Array.isArray(field(m, 'loaded_instances')))
          ? '/api/v1/models lists loaded instances'
          : null,
    },
    {
      path: '/api/v0/models',
      of: ({ json }) =>
        items(json, 'data').some((m) => text(field(m, 'compatibility_type')) !== undefined)
          ? '/api/v0/models has compatibility types'
          : null,
    },
    {
      path: '/',
      of: ({ json }) =>
        text(field(json, 'error'))?.startsWith('Unexpected endpoint or method.')
          ? 'refuses unknown paths in its words'
          : null,
    },
    {
      path: '/v1/models',
      of: ({ json }) =>
        items(json, 'data').some((m) => field(m, 'owned_by') === 'organization_owner')
          ? 'models are owned by "organization_owner"'
          : null,
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/v1/models',
      means: 'models, and by the same rule loading and inference',
      read: openWhen(({ json }) => Array.isArray(field(json, 'models'))),
    },
    {
      method: 'GET',
      path: '/v1/models',
      means: 'the OpenAI-like API',
      read: openWhen(({ json }) => Array.isArray(field(json, 'data'))),
    },
  ],
  publicByDesign: [],
  gives: 'inference, and loading of models',
  remedy: 'Switch "Serve on Local Network" off, or require API tokens in the server settings (0.4.0 or newer)',
};
