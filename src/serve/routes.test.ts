import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { role } from './auth/role.ts';
import type { Permission } from './auth/role.ts';
import { makeCsr } from './pki/csr.ts';
import { problemBody } from './problem.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';
import { type AskOptions, serveBench, type ServeBench, someBatch } from './serve.case.ts';

/** A path of the route with values that its schemas take or refuse; authorisation comes before either. */
const pathOf = (route: Route) => route.path.replaceAll(/:\w+/g, 'a');
const call = (bench: ServeBench, route: Route, options: AskOptions = {}) =>
  bench.ask(route.method, pathOf(route), { door: route.doors[0] ?? 'web', ...options });

async function expectProblem(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(problemBody.parse(await response.json()).status).toBe(status);
}

/** Written apart from the code under test: who may what. */
const allowed: Record<Permission, readonly string[]> = {
  public: ['nobody'],
  secret: ['nobody'],
  viewer: ['viewer', 'operator', 'admin'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  metrics: ['viewer', 'operator', 'admin', 'metrics', 'probe'],
  probe: ['operator', 'admin', 'probe'],
  agent: ['certificate'],
  'agent-renewal': ['certificate', 'ended certificate'],
};
const isOpen = (route: Route) => allowed[route.permission].includes('nobody');
const guarded = routes.filter((r) => !isOpen(r));
const byToken = guarded.filter((r) => r.doors.includes('web'));
const byCertificate = guarded.filter((r) => r.doors.includes('agents'));
const named = (list: readonly Route[]) => list.map((r) => [`${r.method} ${r.path}`, r] as const);

describe('the route table', () => {
  test('has each method and path once, and paths in canonical form', () => {
    const all = routes.flatMap((r) => r.doors.map((door) => `${door} ${r.method} ${r.path}`));
    expect(new Set(all).size).toBe(all.length);
    for (const { path } of routes) expect(path).toMatch(/^\/$|^(\/(:\w+|[a-z0-9.-]+))+$/);
  });

  test('leaves open only what tells nothing, or wants a one-use secret', () => {
    expect(routes.filter(isOpen).map((r) => `${r.permission} ${r.method} ${r.path}`)).toMatchSnapshot();
  });

  test('bounds every body, and gives bodies to what changes something only', () => {
    const wrong = routes.filter((r) => r.body && (r.method === 'GET' || !(r.body.limitBytes > 0)));
    expect(wrong.map((r) => r.path)).toEqual([]);
  });
});

describe('every route that is not open', () => {
  test.each(named(guarded))('%s refuses a request without credentials', async (_, route) => {
    await expectProblem(await call(await serveBench(), route), 401);
  });

  test.each(named(byToken))(
    '%s refuses tokens that are made up, expired or revoked, and foreign schemes',
    async (_, route) => {
      const bench = await serveBench();
      const expired = await bench.token('admin', 1000);
      const revoked = await bench.token('admin');
      const by = { actor: 'test', address: null };
      for (const { id } of await bench.context.tokens.list()) await bench.context.tokens.revoke(id, by);
      bench.io.advance(1000);
      for (const token of [`ifp_${'A'.repeat(43)}`, 'ifp_', expired, revoked])
        await expectProblem(await call(bench, route, { token }), 401);
      for (const authorization of ['Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer a b'])
        expect((await call(bench, route, { headers: { authorization } })).status).toBeOneOf([401, 429]);
    },
  );

  test.each(named(byToken))('%s lets in the roles that it should, and no other', async (_, route) => {
    const bench = await serveBench();
    for (const name of role.options) {
      const token = await bench.token(name);
      const { status } = await call(bench, route, { token });
      if (allowed[route.permission].includes(name)) expect([name, status]).not.toEqual([name, 403]);
      else expect([name, status]).toEqual([name, 403]);
      expect(status).not.toBe(401);
    }
  });

  test.each(named(byToken))('%s refuses cookies that are made up, ended, or not one', async (_, route) => {
    const bench = await serveBench();
    const token = await bench.token('admin');
    const opened = await bench.context.sessions.open(token, null);
    const good = `inferpath=${opened?.cookie}`;
    expect((await call(bench, route, { cookie: good })).status).not.toBeOneOf([401, 403]);
    for (const cookie of [`inferpath=ifps_${'A'.repeat(43)}`, `${good}; ${good}`, `__Host-${good}`, 'inferpath='])
      await expectProblem(await call(bench, route, { cookie }), 401);
    // A token that is refused is not made up for by a cookie that would be good.
    expect((await call(bench, route, { cookie: good, token: `ifp_${'A'.repeat(43)}` })).status).toBe(401);
    for (const { id } of await bench.context.tokens.list())
      await bench.context.tokens.revoke(id, { actor: 'test', address: null });
    expect((await call(bench, route, { cookie: good })).status).toBeOneOf([401, 429]);
  });

  test.each(named(byCertificate))(
    '%s refuses tokens, and certificates that are revoked, replaced or ended',
    async (_, route) => {
      const bench = await serveBench();
      await expectProblem(await call(bench, route, { token: await bench.token('admin') }), 401);
      const certificate = await bench.enroll('edge');
      expect((await call(bench, route, { certificate })).status).not.toBeOneOf([401, 403]);
      bench.io.advance(24 * 3_600_000 + 1);
      const ended = await call(bench, route, { certificate });
      if (allowed[route.permission].includes('ended certificate')) expect(ended.status).not.toBeOneOf([401, 403]);
      else await expectProblem(ended, 403);
      const replacement = await bench.enroll('edge');
      await expectProblem(await call(bench, route, { certificate }), 401);
      expect((await call(bench, route, { certificate: replacement })).status).not.toBeOneOf([401, 403]);
      await bench.context.agents?.revoke('edge', { actor: 'test', address: null });
      await expectProblem(await call(bench, route, { certificate: replacement }), 401);
      // Whoever was revoked and is invited again has a new certificate; the old one stays out.
      await bench.enroll('edge');
      await expectProblem(await call(bench, route, { certificate: replacement }), 401);
    },
  );
});

describe('what was seen once and is sent again', () => {
  /** A request that spends a one-use secret, for each route that takes one. */
  const spending: Record<string, (bench: ServeBench) => Promise<AskOptions>> = {
    'POST /api/v1/sessions': async ({ context }) => ({
      body: { secret: await context.sessions.link({ name: 'a', role: 'admin' }, by) },
    }),
    'POST /agent/v1/enroll': async ({ context }) => ({
      body: {
        token: (await context.agents!.invite('edge', by)).token,
        name: 'edge',
        csr: makeCsr('edge', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      },
    }),
  };
  const by = { actor: 'test', address: null };
  const secrets = routes.filter((route) => route.permission === 'secret');

  test.each(named(secrets))('%s takes its secret once, and of two at once one', async (name, route) => {
    const bench = await serveBench();
    const spend = spending[name];
    expect(spend, 'a new route with a one-use secret needs a line above').toBeDefined();
    const first = await spend!(bench);
    expect((await call(bench, route, first)).status).toBe(201);
    for (let i = 0; i < 3; i++) await expectProblem(await call(bench, route, first), 401);
    const second = await spend!(bench);
    const answers = await Promise.all([1, 2, 3].map(() => call(bench, route, second)));
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
  });

  test.each(named(byToken))('%s refuses the cookie of a session that has been closed, or is over', async (_, route) => {
    const bench = await serveBench();
    const cookieOf = async () => {
      const secret = await bench.context.sessions.link({ name: 'a', role: 'admin' }, by);
      return `inferpath=${(await bench.context.sessions.open(secret, null))?.cookie}`;
    };
    const closed = await cookieOf();
    expect((await call(bench, route, { cookie: closed })).status).not.toBeOneOf([401, 403]);
    await bench.ask('DELETE', '/api/v1/sessions/current', { cookie: closed });
    await expectProblem(await call(bench, route, { cookie: closed }), 401);
    const unused = await cookieOf();
    bench.io.advance(8 * 3_600_000 + 1);
    await expectProblem(await call(bench, route, { cookie: unused }), 401);
  });

  test.each(named(byToken.filter((route) => route.method !== 'GET')))(
    '%s refuses the cookie of a browser that another web site makes send it',
    async (_, route) => {
      const bench = await serveBench();
      const secret = await bench.context.sessions.link({ name: 'a', role: 'admin' }, by);
      const cookie = `inferpath=${(await bench.context.sessions.open(secret, null))?.cookie}`;
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      ] as Record<string, string>[])
        await expectProblem(await call(bench, route, { cookie, headers }), 403);
    },
  );

  test('a batch is stored once, and only for the agent whose certificate it comes by', async () => {
    const bench = await serveBench();
    const [edge, other] = [await bench.enroll('edge'), await bench.enroll('other')];
    const body = someBatch('batch-0001', bench.io.clock.wallMs());
    const send = async (certificate: typeof edge) => {
      const response = await bench.ask('POST', '/agent/v1/batches', { door: 'agents', certificate, body });
      return [response.status, ((await response.json()) as { result?: string }).result];
    };
    expect(await send(edge)).toEqual([200, 'stored']);
    for (let i = 0; i < 3; i++) expect(await send(edge)).toEqual([200, 'duplicate']);
    expect(await send(other)).toEqual([200, 'stored']);
    const agents = async (agent: string) => {
      const { samples } = await bench.store.samples({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, limit: 100, agent });
      return samples.length;
    };
    expect([await agents('edge'), await agents('other')]).toEqual([3, 3]);
  });
});

describe('every route', () => {
  test.each(named(routes))(
    '%s refuses another Host, another Origin, and paths that are written otherwise',
    async (_, route) => {
      const bench = await serveBench();
      const door = route.doors[0] ?? 'web';
      const who: AskOptions =
        door === 'agents' ? { certificate: await bench.enroll('edge') } : { token: await bench.token('admin') };
      for (const host of ['evil.example', '127.0.0.1.evil.example:7044', 'localhost.', '[::1', ''])
        await expectProblem(await call(bench, route, { ...who, headers: { host } }), 421);
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://localhost:7044'])
        await expectProblem(await call(bench, route, { ...who, headers: { origin } }), 403);
      for (const site of ['cross-site', 'same-site'])
        await expectProblem(await call(bench, route, { ...who, headers: { 'sec-fetch-site': site } }), 403);
      const path = pathOf(route);
      for (const target of [
        `/${path}`,
        `${path}/`,
        `/x/..${path}`,
        `/.${path}`,
        path.replace('/', '/%2f'),
        `${path}%00`,
        `${path};x`,
        `http://127.0.0.1${path}`,
      ])
        await expectProblem(await call(bench, route, { ...who, target }), 400);
      // Nothing of this but only the path and its own origin are right.
      expect((await call(bench, route, who)).status).not.toBeOneOf([400, 403, 421]);
    },
  );

  test.each(named(routes))('%s is not offered at the other door, nor by another method', async (_, route) => {
    const bench = await serveBench();
    const token = await bench.token('admin');
    for (const door of ['web', 'agents'] as const) {
      if (route.doors.includes(door)) continue;
      const response = await call(bench, route, { door, token, certificate: await bench.enroll('edge') });
      expect(response.status).toBeOneOf([404, 405]);
    }
    const response = await bench.ask('PATCH', pathOf(route), { door: route.doors[0] ?? 'web', token });
    await expectProblem(response, 405);
    expect(response.headers.get('allow')).toContain(route.method);
  });

  test('that does not exist is refused, and says nothing of this server', async () => {
    const bench = await serveBench();
    for (const path of ['/admin', '/api/v2/tokens', '/.git/config', '/api/v1'])
      await expectProblem(await bench.ask('GET', path, { token: await bench.token('admin') }), 404);
  });
});
