import { dialects } from './dialects/registry.ts';
import type { Dialect } from './dialects/dialect.ts';

/** Name under which the reflector lists its only model; every name in a request is accepted. */
export const modelName = 'inferpath-reflect';

/** What a path stands for. */
export type Route =
  | { kind: 'dialect'; dialect: Dialect }
  | { kind: 'document'; type: string; text: string }
  | { kind: 'wrongMethod'; allow: string; dialect: Dialect }
  | { kind: 'unknown'; dialect: Dialect };

const byPath = new Map(dialects.map((dialect) => [dialect.path, dialect]));
const fallback = dialects[0]!;

const model = { id: modelName, object: 'model', created: 1_735_689_600, owned_by: 'inferpath' };
const ollamaModel = {
  name: `${modelName}:latest`,
  model: `${modelName}:latest`,
  modified_at: '2025-01-01T00:00:00.000000000Z',
  size: 0,
  digest: '0'.repeat(64),
  details: { format: 'none', family: 'synthetic', parameter_size: '0', quantization_level: 'none' },
};

const documents = new Map<string, string>([
  ['/', JSON.stringify({ service: 'inferpath reflect', dialects: dialects.map(({ name, path }) => ({ name, path })) })],
  ['/health', JSON.stringify({ status: 'ok' })],
  [
    '/v1/models',
    JSON.stringify({ object: 'list', data: [model], has_more: false, first_id: modelName, last_id: modelName }),
  ],
  [`/v1/models/${modelName}`, JSON.stringify(model)],
  ['/api/tags', JSON.stringify({ models: [ollamaModel] })],
  ['/api/version', JSON.stringify({ version: '0.12.0-inferpath' })],
  ['/info', JSON.stringify({ model_id: modelName, version: '3.0.0-inferpath' })],
]);

/** Finds what a request is for. Total: every method and target has a route. */
export function findRoute(method: string, target: string): Route {
  const path = target.split('?', 1)[0] ?? '';
  const dialect = byPath.get(path);
  if (dialect)
    return method === 'POST' ? { kind: 'dialect', dialect } : { kind: 'wrongMethod', allow: 'POST', dialect };
  const document = documents.get(path);
  if (document === undefined) return { kind: 'unknown', dialect: fallback };
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'wrongMethod', allow: 'GET, HEAD', dialect: fallback };
  return { kind: 'document', type: 'application/json', text: document };
}
