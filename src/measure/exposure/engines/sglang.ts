import { type Engine, field, isFastApi405, openAt405, openWhen, openWhenInvalid, ownedBy, text } from '../engine.ts';

const hasModelPath = openWhen(({ json }) => text(field(json, 'model_path')) !== undefined);

/**
 * `--api-key` guards all but /health*, /ready* and /metrics*; `--admin-api-key` alone guards only administration and leaves
 * inference open (srt/utils/auth.py). Some paths of administration act on GET, so the one that is asked takes POST only, with a
 * body that its schema refuses.
 */
export const sglang: Engine = {
  name: 'sglang',
  title: 'SGLang',
  ports: [30000],
  signals: [
    { path: '/v1/models', of: (reply) => (ownedBy(reply, 'sglang') ? 'models are owned by "sglang"' : null) },
    {
      path: '/get_model_info',
      of: ({ json }) =>
        field(json, 'model_path') !== undefined && field(json, 'is_generation') !== undefined
          ? '/get_model_info names the model'
          : null,
    },
    {
      path: '/server_info',
      of: ({ json }) =>
        field(json, 'tokenizer_path') !== undefined && field(json, 'mem_fraction_static') !== undefined
          ? '/server_info has its settings'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    { path: '/metrics', of: ({ body }) => (/^sglang:/m.test(body) ? 'metrics begin with "sglang:"' : null) },
  ],
  oracles: [
    { method: 'GET', path: '/get_model_info', means: 'what is served', read: hasModelPath },
    { method: 'GET', path: '/generate', means: 'inference', read: openAt405(isFastApi405) },
    { method: 'POST', path: '/unload_lora_adapter', body: '[]', means: 'administration', read: openWhenInvalid },
  ],
  publicByDesign: ['/health', '/ready', '/metrics'],
  gives: 'inference and, without an admin key, administration (weights, adapters, cache)',
  remedy: 'Start it with both --api-key and --admin-api-key: the admin key alone leaves inference open to anyone',
};
