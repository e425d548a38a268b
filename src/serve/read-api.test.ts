import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { openApi } from './openapi.ts';
import { redactedUrl } from './redact.ts';
import { routes } from './routes.ts';
import { serveBench, someBatch, someNetwork, type ServeBench } from './serve.case.ts';

const json = async (bench: ServeBench, path: string, role: 'viewer' | 'operator' | 'admin' = 'viewer') => {
  const response = await bench.ask('GET', path, { token: await bench.token(role) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Secrets and paths of the server that must never leave it. */
const canaries = ['CANARY-user', 'CANARY-password', 'CANARY-query', 'CANARY-hook', 'CANARY-path', 'CANARY-template'];
const leaky = () =>
  someNetwork({
    endpoints: [
      { name: 'chat', url: 'https://chat.example/v1?tenant=CANARY-query', auth: { file: '/etc/CANARY-path' } },
    ],
    watch: {
      receivers: [
        {
          name: 'hook',
          type: 'webhook',
          url: 'https://hooks.example/services/CANARY-hook',
          secretFile: '/run/CANARY-path',
          template: '{"text":"CANARY-template"}',
        },
        { name: 'chat', type: 'slack', urlFile: '/run/CANARY-path' },
      ],
    },
  });

test('no answer of any route, to an admin, holds what could be a secret', async () => {
  const bench = await serveBench(leaky());
  const [token, certificate] = [await bench.token('admin'), await bench.enroll('edge')];
  const secrets = [token.slice(4), ...canaries];
  let answers = 0;
  for (const route of routes) {
    if (route.path === '/api/v1/events' || route.path === '/agent/v1/jobs') continue;
    const door = route.doors[0] ?? 'web';
    bench.io.advance(60_000);
    for (const body of route.body
      ? [{}, { dryRun: true }, { name: 'x' }, { agent: 'edge' }, { secret: 'CANARY-user' }, '{CANARY-password']
      : [undefined]) {
      const path = route.path.replaceAll(/:\w+/g, 'edge');
      const response = await bench.ask(route.method, path, {
        door,
        ...(door === 'agents' ? { certificate } : { token }),
        ...(body === undefined ? {} : { body }),
      });
      const text = `${await response.text()} ${JSON.stringify([...response.headers])}`;
      for (const secret of secrets) expect([route.path, text.includes(secret)]).toEqual([route.path, false]);
      answers++;
    }
  }
  expect(answers).toBeGreaterThan(30);
  expect(bench.io.stderr()).toBe('');
  expect(JSON.stringify([...bench.documents.all.values()])).not.toContain(token.slice(4));
});

test('redactedUrl() keeps origin and path only', () => {
  expect(redactedUrl('https://u:p@chat.example:8443/v1/chat?key=1#x')).toBe('https://chat.example:8443/v1/chat');
  expect(redactedUrl('http://127.0.0.1:7041')).toBe('http://127.0.0.1:7041');
});

test('an error inside is told to the log and not to the client', async () => {
  const bench = await serveBench();
  bench.store.samples = () => Promise.reject(new Error('CANARY at /var/lib'));
  const { status, body } = await json(bench, '/api/v1/samples');
  expect([status, body['type'], body['detail']]).toEqual([500, 'urn:inferpath:problem:internal', undefined]);
  expect(bench.io.stderr()).toContain('CANARY at /var/lib');
});

test('samples come page by page, within their range, each once', async () => {
  const bench = await serveBench();
  const nowMs = bench.io.clock.wallMs();
  const certificate = await bench.enroll('edge');
  await bench.ask('POST', '/agent/v1/batches', {
    door: 'agents',
    certificate,
    body: someBatch('batch-0001', nowMs - 50_000, 25),
  });
  const ids: string[] = [];
  let next: string | null = null;
  do {
    const after = next === null ? '' : `&after=${next}`;
    const { body } = await json(bench, `/api/v1/samples?limit=10&endpoint=chat&order=oldest${after}`);
    ids.push(...(body['samples'] as { id: string }[]).map((s) => s.id));
    next = body['next'] as string | null;
  } while (next !== null);
  expect(ids).toEqual(Array.from({ length: 25 }, (_, i) => `edge/batch-0001/${i}`));
  const none = await json(bench, `/api/v1/samples?to=${new Date(nowMs - 3_600_000).toISOString()}`);
  expect(none.body['samples']).toEqual([]);
});

test.each([
  ['/api/v1/samples?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', '"from" has to be before'],
  ['/api/v1/samples?from=0', 'at most 800 days'],
  ['/api/v1/series?kind=tcp&metric=rttMs&step=1000&from=2025-01-01T00:00:00Z', 'at most 11000 points'],
  ['/api/v1/series?kind=tcp&metric=rttMs&quantiles=0.5,1.5', 'mistake'],
  ['/api/v1/series?kind=carrier-pigeon&metric=rttMs', 'mistake'],
  ['/api/v1/counts?kind=tcp&metric=rttMs', 'mistake'],
  ['/api/v1/samples?limit=1&limit=2', 'given twice'],
  ['/api/v1/samples?limt=1', 'mistake'],
  ['/api/v1/tokens?x=1', 'no query'],
  ['/api/v1/samples?endpoint=..%2f..%2fetc', 'mistake'],
])('%s is refused with words', async (path, words) => {
  const { status, body } = await json(await serveBench(), path, 'admin');
  expect(status).toBeOneOf([400, 422]);
  expect(body['detail']).toContain(words);
});

test('a reload tells what has changed; a file with mistakes changes nothing', async () => {
  const bench = await serveBench();
  const token = await bench.token('operator');
  const reload = async (body: object) => {
    const response = await bench.ask('POST', '/api/v1/network/reload', { token, body });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  expect((await reload({})).body['changes']).toEqual([]);
  bench.next.network = someNetwork({
    endpoints: [
      { name: 'rag', url: 'http://127.0.0.1:7042', workload: 'rag' },
      { name: 'new', url: 'https://new.example' },
    ],
  });
  const changes = [
    { path: 'endpoints.chat', change: 'removed' },
    { path: 'endpoints.rag.url', change: 'changed' },
    { path: 'endpoints.new', change: 'added' },
  ];
  const before = bench.context.configuration.revision;
  expect((await reload({ dryRun: true })).body['changes']).toEqual(changes);
  expect(bench.context.configuration.revision).toBe(before);
  expect((await reload({})).body['changes']).toEqual(changes);
  expect(bench.context.configuration.network.endpoints.map((e) => e.name)).toEqual(['rag', 'new']);
  bench.next = Object.defineProperty(bench.next, 'network', {
    get: () => {
      throw new Error('network.yaml:3:1: endpoints: found nothing');
    },
  });
  const refused = await reload({});
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('network.yaml:3:1')]);
  expect(bench.context.configuration.network.endpoints).toHaveLength(2);
});

test('jobs have an ETag that changes with the network file, and only then', async () => {
  const bench = await serveBench();
  const certificate = await bench.enroll('edge');
  const ask = (etag?: string) =>
    bench.ask('GET', '/agent/v1/jobs', {
      door: 'agents',
      certificate,
      headers: etag === undefined ? {} : { 'if-none-match': etag },
    });
  const first = await ask();
  const etag = first.headers.get('etag') ?? '';
  const { jobs } = (await first.json()) as { jobs: { probe: string; endpoint: string }[] };
  // No TLS handshake with what has none.
  expect(jobs.filter((j) => j.probe === 'tls').map((j) => j.endpoint)).toEqual(['chat']);
  expect((await ask(etag)).status).toBe(304);
  await bench.context.configuration.reload();
  expect((await ask(etag)).status).toBe(304);
  bench.next.network = someNetwork({ endpoints: [{ name: 'chat', url: 'https://chat.example' }] });
  await bench.context.configuration.reload();
  expect((await ask(etag)).status).toBe(200);
});

test('openApi() is a document of OpenAPI 3.1 with every route, and answers are what it says', async () => {
  const document = openApi(routes, '1.0.0') as {
    paths: Record<
      string,
      Record<string, { operationId: string; responses: { '2XX': { content: Record<string, { schema: object }> } } }>
    >;
  };
  const operations = Object.values(document.paths).flatMap((p) => Object.values(p));
  expect(operations).toHaveLength(routes.filter((r) => !r.hidden).length);
  expect(new Set(operations.map((o) => o.operationId)).size).toBe(operations.length);
  const bench = await serveBench();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  let held = 0;
  for (const [path, methods] of Object.entries(document.paths)) {
    const isJson = 'application/json' in (methods['get']?.responses['2XX'].content ?? {});
    // Of single things there is none here.
    if (!methods['get'] || path.startsWith('/agent') || path.includes('{') || !isJson) continue;
    const query = path.endsWith('/series') ? '?kind=tcp&metric=rttMs' : path.endsWith('/counts') ? '?kind=tcp' : '';
    const { status, body } = await json(bench, path + query, 'admin');
    const schema = methods['get'].responses['2XX'].content['application/json']?.schema ?? {};
    expect([path, status, ajv.validate(schema, body), ajv.errors ?? []]).toEqual([path, 200, true, []]);
    held++;
  }
  expect(held).toBeGreaterThan(12);
});
