import * as z from 'zod';
import { openApi } from '../openapi.ts';
import { defineRoute, type Route } from '../route.ts';

/** @param all the table, this route included: asked when it is needed, as the table is made with it */
export const openApiRoute = (all: () => readonly Route[]): Route =>
  defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    doors: ['web'],
    permission: 'viewer',
    about: 'This description of the API.',
    reply: { schema: z.record(z.string(), z.unknown()), about: 'OpenAPI 3.1.' },
    handle: ({ context }) => ({ json: openApi(all(), context.version) }),
  });
