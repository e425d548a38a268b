import { type Engine, field, isFastApi405, items, openAt405, openWhen, ownedBy, text } from '../engine.ts';

const hasList = openWhen(({ json }) => items(json, 'data').length > 0 || field(json, 'object') === 'list');
const at405 = openAt405(isFastApi405);

/**
 * `--api-key` guards only what begins with /v1, /v2 and /inference (docs/usage/security.md of vLLM): /invocations runs the same
 * inference without a key, and /pause, /resume and /update_weights stand beside it. All is asked with GET; 405 of the framework
 * says that a path is there and that nobody asked for a key.
 */
export const vllm: Engine = {
  name: 'vllm',
  title: 'vLLM',
  ports: [8000],
  signals: [
    { path: '/v1/models', of: (reply) => (ownedBy(reply, 'vllm') ? 'models are owned by "vllm"' : null) },
    {
      path: '/version',
      of: ({ status, json }) =>
        status === 200 && text(field(json, 'version')) !== undefined && Object.keys(json as object).length === 1
          ? '/version has a version and nothing else'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    { path: '/metrics', of: ({ body }) => (/^vllm:/m.test(body) ? 'metrics begin with "vllm:"' : null) },
    {
      path: '/load',
      of: ({ json }) => (typeof field(json, 'server_load') === 'number' ? '/load has server_load' : null),
    },
    {
      path: '/is_paused',
      of: ({ json }) => (typeof field(json, 'is_paused') === 'boolean' ? '/is_paused answers' : null),
    },
  ],
  oracles: [
    { method: 'GET', path: '/v1/models', means: 'the API that --api-key guards', read: hasList },
    { method: 'GET', path: '/invocations', means: 'the same inference by another name', read: at405 },
    { method: 'GET', path: '/score', means: 'scoring', read: at405 },
    { method: 'GET', path: '/tokenize', means: 'the tokenizer', read: at405 },
    {
      method: 'GET',
      path: '/is_paused',
      means: 'stands beside /pause and /update_weights',
      read: openWhen(({ json }) => typeof field(json, 'is_paused') === 'boolean'),
    },
    {
      method: 'GET',
      path: '/load',
      means: 'load of the server',
      read: openWhen(({ json }) => field(json, 'server_load') !== undefined),
    },
    {
      method: 'GET',
      path: '/collective_rpc',
      means: 'runs any method of the workers (VLLM_SERVER_DEV_MODE)',
      read: at405,
    },
  ],
  publicByDesign: ['/health', '/ping', '/version', '/metrics'],
  gives: 'inference, and control of the server (pause, weights)',
  remedy:
    'Put a proxy in front that lets only the wanted /v1 paths through and asks for a key there; --api-key alone leaves /invocations, /pause and /update_weights open. Keep the port itself, and 29500 and 14579 between nodes, behind a firewall',
};
