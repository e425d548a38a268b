import { type Engine, field, openWhenInvalid, text } from '../engine.ts';

/** API_KEY guards what runs inference; /info, /health and /metrics stay open by design, so they say nothing. */
export const tgi: Engine = {
  name: 'tgi',
  title: 'Text Generation Inference',
  ports: [3000, 8080, 80],
  signals: [
    {
      path: '/info',
      of: ({ json }) =>
        text(field(json, 'model_id')) !== undefined && field(json, 'docker_label') !== undefined
          ? '/info has model_id and docker_label'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    {
      path: '/info',
      of: ({ json }) =>
        field(json, 'router') === 'text-generation-router' ||
        (field(json, 'max_concurrent_requests') !== undefined && field(json, 'max_total_tokens') !== undefined)
          ? '/info has the limits of its router'
          : null,
    },
    { path: '/metrics', of: ({ body }) => (/^tgi_/m.test(body) ? 'metrics begin with "tgi_"' : null) },
  ],
  oracles: [{ method: 'POST', path: '/generate', body: '{}', means: 'inference', read: openWhenInvalid }],
  publicByDesign: ['/info', '/health', '/metrics'],
  gives: 'inference',
  remedy:
    'Set API_KEY, or bind it to an address that only the proxy in front reaches; it listens on all addresses by default',
};
