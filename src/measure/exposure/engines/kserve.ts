import { type Engine, field, items, openWhen, text } from '../engine.ts';

/** Asks for nothing itself: authentication stands at the gateway, and whoever reaches the pod's port walks around it. */
export const kserve: Engine = {
  name: 'kserve',
  title: 'KServe model server',
  ports: [8080],
  signals: [
    {
      path: '/v2',
      of: ({ json }) =>
        items(json, 'extensions').includes('model_repository_extension')
          ? '/v2 has its extension of the model repository'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    { path: '/', of: ({ json }) => (field(json, 'status') === 'alive' ? '/ says "alive"' : null) },
    {
      path: '/v1/models',
      of: ({ json }) =>
        Array.isArray(field(json, 'models')) && field(json, 'data') === undefined
          ? '/v1/models is a list of the V1 protocol'
          : null,
    },
    { path: '/v2/health/live', of: ({ json }) => (field(json, 'live') === true ? '/v2/health/live says so' : null) },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/v1/models',
      means: 'models of protocol V1, and by the same rule inference',
      read: openWhen(({ json }) => Array.isArray(field(json, 'models'))),
    },
    {
      method: 'GET',
      path: '/v2/models',
      means: 'models of protocol V2',
      read: openWhen(({ json }) => Array.isArray(field(json, 'models'))),
    },
    {
      method: 'GET',
      path: '/v2',
      means: 'what it is',
      read: openWhen(({ json }) => text(field(json, 'name')) !== undefined),
    },
  ],
  publicByDesign: ['/', '/v2/health/live', '/v2/health/ready'],
  gives: 'inference',
  remedy:
    'Let only the gateway reach the pods (NetworkPolicy or mTLS of the mesh): authentication at the gateway does not cover the port of the pod',
};
