import type { X509Certificate } from 'node:crypto';
import type * as z from 'zod';
import type { Permission, Principal } from './auth/role.ts';
import type { ServeContext } from './context.ts';

/** The connection that a request came by: what HTTP itself does not tell. */
export interface Peer {
  /** Address of the other end. */
  address: string;
  tls: boolean;
  /** Client certificate whose key the peer has proven to hold; not yet looked at. */
  certificate: X509Certificate | null;
  /** Request target as it came. */
  target: string;
}

/** Where a route is offered: `web` for people and programs, `agents` for agents by mTLS. A route has one permission in both. */
export type Door = 'web' | 'agents';

export interface RouteInput<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Null only where the permission is `public` or `secret`. */
  principal: Principal | null;
  peer: Peer;
  headers: Headers;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  context: ServeContext;
}

/** What a handler answers: JSON, or a response of its own making. */
export type Answer<R> = { json: R; status?: 200 | 201 | 202; headers?: Record<string, string> } | Response;

export interface BodyRule<B> {
  /** For the documentation, and for the check where there is no `check`. */
  schema: z.ZodType<B>;
  limitBytes: number;
  /** In place of the schema where that would be too slow. @throws Problem */
  check?: (value: unknown) => B;
}

/** What a route answers with when all is well. */
export type Reply<R> =
  | { schema: z.ZodType<R>; about: string }
  | {
      media: 'text/html' | 'text/event-stream' | 'text/javascript' | 'text/css' | 'text/plain' | 'application/json';
      about: string;
    };

/**
 * One route of the API: everything about it in one value, from which routing, authorisation, checks, documentation and tests
 * come alike. A new one is one `defineRoute` and one line in routes.ts.
 */
export interface Route<P = unknown, Q = unknown, B = unknown, R = unknown> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for parameters, e.g. `/api/v1/agents/:name`. */
  path: `/${string}`;
  doors: readonly Door[];
  permission: Permission;
  about: string;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  body?: BodyRule<B>;
  reply: Reply<R>;
  /** Asked before the body is read. @throws Problem when there is no room for it */
  admit?: (context: ServeContext) => void;
  /** Left out of the OpenAPI document: pages and their files. */
  hidden?: true;
  handle(input: RouteInput<P, Q, B>): Promise<Answer<R>> | Answer<R>;
}

/** Keeps the types of a literal route, and forgets them for the table. */
export function defineRoute<P = Record<string, never>, Q = Record<string, never>, B = null, R = unknown>(
  route: Route<P, Q, B, R>,
): Route {
  return route;
}
