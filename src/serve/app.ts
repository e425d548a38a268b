import { type Context, Hono } from 'hono';
import { authorise } from './authenticate.ts';
import { readJson } from './body.ts';
import { canonicalPath, hostOf } from './canonical.ts';
import type { ServeContext } from './context.ts';
import { secureHeaders } from './headers.ts';
import { invalidInput, Problem } from './problem.ts';
import { loginInstead } from './routes/pages.ts';
import type { Answer, Door, Peer, Route, RouteInput } from './route.ts';
import type * as z from 'zod';

type Env = { Bindings: Peer };

export interface DoorOptions {
  door: Door;
  /** Names and addresses that a Host header may say, in lower case, without port: what keeps DNS rebinding out. */
  hosts: ReadonlySet<string>;
}

/** The routes of one door as one function from request to response, which never throws. Anything that no route declares is refused. */
export function createApp(
  routes: readonly Route[],
  { door, hosts }: DoorOptions,
  context: ServeContext,
): (request: Request, peer: Peer) => Promise<Response> {
  const app = new Hono<Env>({ strict: true });
  const offered = routes.filter((route) => route.doors.includes(door));
  app.use(async (c, next) => {
    checkPlace(c.req.raw, c.env, hosts);
    await next();
  });
  const paths = new WeakMap<Request, string>();
  for (const route of offered)
    app.on(route.method, route.path, (c) => {
      paths.set(c.req.raw, route.path);
      return serveRoute(route, c, door, context);
    });
  // After the routes themselves: their paths by any other method.
  for (const path of new Set(offered.map((route) => route.path)))
    app.all(path, () => Promise.reject(wrongMethod(path, offered)));
  app.notFound(() => new Problem('not-found').response());
  app.onError((error, c) => {
    const problem = problemOf(error, context);
    const isPage = offered.some((r) => matches(r, c.req.path) && 'media' in r.reply && r.reply.media === 'text/html');
    const wantsPage = problem.type === 'unauthenticated' && (c.req.header('accept') ?? '').includes('text/html');
    return isPage && wantsPage ? loginInstead() : problem.response();
  });
  return async (request, peer) => {
    const response = await app.fetch(request, peer);
    context.figures.request(paths.get(request) ?? 'none', response.status);
    // Responses of our own making have headers of their own; those of `fetch` would be immutable, and there are none.
    secureHeaders(response.headers, peer.tls);
    return response;
  };
}

const matches = (route: Route, path: string): boolean =>
  new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`).test(path);

/** Before anything else: one path for everybody, the right name, and no other web site behind it. */
function checkPlace(request: Request, peer: Peer, hosts: ReadonlySet<string>): void {
  const { pathname } = new URL(request.url);
  if (canonicalPath(peer.target) !== pathname) throw new Problem('path-not-canonical');
  const header = request.headers.get('host') ?? '';
  const host = hostOf(header);
  if (host === null || !hosts.has(host))
    throw new Problem('wrong-host', 'start the server with --name to let it answer to another name');
  const origin = request.headers.get('origin');
  if (origin !== null && origin !== `${peer.tls ? 'https' : 'http'}://${header.toLowerCase()}`)
    throw new Problem('wrong-origin');
  const site = request.headers.get('sec-fetch-site');
  // A link from elsewhere may lead here; a request made by a page from elsewhere may not.
  const isLink = request.headers.get('sec-fetch-mode') === 'navigate' && request.method === 'GET';
  if ((site === 'cross-site' || site === 'same-site') && !isLink) throw new Problem('wrong-origin');
}

async function serveRoute(route: Route, c: Context<Env>, door: Door, context: ServeContext): Promise<Response> {
  const request = c.req.raw;
  const peer = c.env;
  const principal = await authorise(route, { headers: request.headers, peer, door }, context);
  const limit = principal ? context.limits.known : context.limits.unknown;
  // Health is asked for by orchestrators behind one address, and costs nothing.
  const waitS = route.permission === 'public' ? 0 : limit.take(`${principal?.kind} ${principal?.id} ${peer.address}`);
  if (waitS > 0)
    throw new Problem('too-many-requests', `try again in ${waitS} s`, { headers: { 'retry-after': String(waitS) } });
  route.admit?.(context);
  const input: RouteInput<unknown, unknown, unknown> = {
    params: parsed(route.params, c.req.param(), 'path'),
    query: parsed(route.query, queryOf(request.url), 'query'),
    body: route.body ? await bodyOf(route, request) : null,
    principal,
    peer,
    headers: request.headers,
    signal: request.signal,
    context,
  };
  return responseOf(await route.handle(input));
}

async function bodyOf({ body }: Route, request: Request): Promise<unknown> {
  if (!body) return null;
  const value = await readJson(request, body.limitBytes);
  return body.check ? body.check(value) : parsed(body.schema, value, '');
}

function parsed(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!schema) {
    if (where === 'query' && Object.keys(value as object).length > 0)
      throw new Problem('invalid-input', 'this takes no query');
    return {};
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidInput(result.error, where);
}

/** Each parameter once: of two, one reader would take the first and another the last. */
function queryOf(url: string): Record<string, string> {
  const { searchParams } = new URL(url);
  const names = [...searchParams.keys()];
  if (new Set(names).size < names.length) throw new Problem('bad-request', 'a query parameter was given twice');
  return Object.fromEntries(searchParams);
}

function responseOf(answer: Answer<unknown>): Response {
  if (answer instanceof Response) return answer;
  const { json, status = 200, headers = {} } = answer;
  return new Response(JSON.stringify(json), { status, headers: { 'content-type': 'application/json', ...headers } });
}

function wrongMethod(path: string, routes: readonly Route[]): Problem {
  const allowed = routes.filter((route) => route.path === path).map((route) => route.method);
  const list = [...new Set(allowed.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m])))].join(', ');
  return new Problem('method-not-allowed', `allowed: ${list}`, { headers: { allow: list } });
}

function problemOf(error: unknown, context: ServeContext): Problem {
  if (error instanceof Problem) return error;
  context.io.log.warn(`a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  // What failed may hold anything: the client is not told.
  return new Problem('internal');
}
