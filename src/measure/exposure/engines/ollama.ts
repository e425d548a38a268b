import { type Engine, field, items, openWhen, text } from '../engine.ts';
import type { Reply } from '../exchange.ts';

const hasModels = ({ json }: Reply): boolean => Array.isArray(field(json, 'models'));

/** Has no authentication of its own: who reaches it may also pull and delete models. */
export const ollama: Engine = {
  name: 'ollama',
  title: 'Ollama',
  ports: [11434],
  signals: [
    { path: '/', of: ({ body }) => (body.trim() === 'Ollama is running' ? 'says "Ollama is running"' : null) },
    {
      path: '/api/version',
      of: ({ status, json }) =>
        status === 200 &&
        /^\d+\.\d+\./.test(text(field(json, 'version')) ?? '') &&
        field(json, 'ray_version') === undefined
          ? '/api/version has a version'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    {
      path: '/api/tags',
      of: ({ json }) =>
        items(json, 'models').some((m) => text(field(m, 'digest'))) ? '/api/tags lists models with digests' : null,
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/tags',
      means: 'lists, and by the same rule runs, pulls and deletes models',
      read: openWhen(hasModels),
    },
    { method: 'GET', path: '/api/ps', means: 'lists what is loaded', read: openWhen(hasModels) },
  ],
  publicByDesign: [],
  gives: 'inference, and pulling and deleting of models',
  remedy:
    'Bind it to 127.0.0.1 (unset OLLAMA_HOST), or put a proxy with authentication in front and let a firewall keep everybody else from the port: Ollama has none of its own',
};
