import { byStatus, type Engine, field, items, openWhen, text } from '../engine.ts';

/**
 * Has no keys; single protocols and APIs can be restricted by a header. With --model-control-mode=explicit whoever may load a
 * model may run code.
 */
export const triton: Engine = {
  name: 'triton',
  title: 'Triton Inference Server',
  ports: [8000, 8002],
  signals: [
    {
      path: '/v2',
      of: ({ json }) => (field(json, 'name') === 'triton' ? '/v2 says "triton"' : null),
      version: ({ json }) => field(json, 'version'),
    },
    {
      path: '/v2',
      of: ({ json }) =>
        items(json, 'extensions').some((e) =>
          /^(cuda_shared_memory|model_repository|schedule_policy)$/.test(text(e) ?? ''),
        )
          ? '/v2 has extensions of Triton'
          : null,
    },
    {
      path: '/metrics',
      of: ({ body }) => (/^nv_inference_/m.test(body) ? 'metrics begin with "nv_inference_"' : null),
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/v2',
      means: 'what it is',
      read: openWhen(({ json }) => text(field(json, 'name')) !== undefined),
    },
    {
      method: 'GET',
      path: '/v2/models/stats',
      means: 'models and their use',
      read: openWhen(({ json }) => Array.isArray(field(json, 'model_stats'))),
    },
    {
      method: 'POST',
      path: '/v2/repository/index',
      body: '{}',
      means: 'the model repository, and by the same rule loading of models',
      read: openWhen(({ json }) => Array.isArray(json)),
    },
    {
      method: 'GET',
      path: '/metrics',
      means: 'metrics',
      read: (reply) => (/^nv_inference_/m.test(reply.body) ? byStatus(reply) : 'absent'),
    },
  ],
  publicByDesign: [],
  gives: 'inference, and where models may be loaded, running of code',
  remedy:
    'Restrict the APIs (--http-restricted-api, --grpc-restricted-protocol), leave --model-control-mode at none, and let only the gateway reach 8000, 8001 and 8002',
};
