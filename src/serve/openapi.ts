import * as z from 'zod';
import { problemBody } from './problem.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** The API as OpenAPI 3.1, from the route table: nothing in it is written by hand. */
export function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    if (route.hidden) continue;
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'inferpath',
      version,
      description:
        'Errors are problem documents (RFC 9457). Times are milliseconds since the epoch unless a name says otherwise.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { problem: jsonSchema(problemBody, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'API token, ifp_…' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'inferpath',
          description: 'Session of a browser; __Host-inferpath by TLS.',
        },
        certificate: { type: 'mutualTLS', description: 'Certificate of an enrolled agent.' },
      },
    },
  };
}

function operation(route: Route): Json {
  const { about, permission, params, query, body, reply } = route;
  const words = route.path.split('/').filter((w) => w !== '' && w !== 'api' && w !== 'v1');
  return {
    operationId: [route.method.toLowerCase(), ...words.map((w) => w.replaceAll(/\W+/g, ''))].join('-'),
    summary: about,
    'x-permission': permission,
    'x-doors': route.doors,
    security: security(route),
    parameters: [...parameters(params, 'path'), ...parameters(query, 'query')],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(body.schema, 'input') } },
          },
        }
      : {}),
    responses: {
      '2XX': { description: reply.about, content: content(reply) },
      default: {
        description: 'Something was wrong.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/problem' } } },
      },
    },
  };
}

function security({ permission, doors }: Route): Json[] {
  if (permission === 'public' || permission === 'secret') return [];
  return doors.includes('agents') ? [{ certificate: [] }] : [{ token: [] }, { session: [] }];
}

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function content(reply: Route['reply']): Json {
  if ('media' in reply) return { [reply.media]: { schema: { type: 'string' } } };
  return { 'application/json': { schema: jsonSchema(reply.schema, 'output') } };
}

/** Whole and in place: named parts would have to be hoisted, and their names made unique. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
  return json;
}
