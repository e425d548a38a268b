import { type Engine, field, openWhen, ownedBy, text } from '../engine.ts';

/** The list of models and the page stay open although --api-key is set (tools/server/server-http.cpp): /props is the oracle. */
export const llamaCpp: Engine = {
  name: 'llama.cpp',
  title: 'llama.cpp server',
  ports: [8080],
  signals: [
    { path: '/', of: ({ headers }) => (headers['server'] === 'llama.cpp' ? 'header Server says "llama.cpp"' : null) },
    { path: '/v1/models', of: (reply) => (ownedBy(reply, 'llamacpp') ? 'models are owned by "llamacpp"' : null) },
    {
      path: '/props',
      of: ({ json }) =>
        field(json, 'default_generation_settings') !== undefined ? '/props has generation settings' : null,
      version: ({ json }) => field(json, 'build_info'),
    },
    {
      path: '/props',
      of: ({ status, json }) =>
        status === 401 &&
        field(field(json, 'error'), 'type') === 'authentication_error' &&
        field(field(json, 'error'), 'message') === 'Invalid API Key'
          ? '/props refuses in its words'
          : null,
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/props',
      means: 'settings, and by the same rule inference',
      read: openWhen(
        ({ json }) =>
          field(json, 'default_generation_settings') !== undefined || text(field(json, 'chat_template')) !== undefined,
      ),
    },
  ],
  publicByDesign: ['/health', '/v1/health', '/models', '/v1/models', '/'],
  gives: 'inference',
  remedy:
    'Start it with --api-key (or --api-key-file) and --ssl-key-file, or bind it to 127.0.0.1 behind a proxy; it also lets any web page call it (CORS)',
};
