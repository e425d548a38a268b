import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchBody } from '../model/agent-protocol.ts';
import { checkBatch } from './batch-check.ts';
import { Problem } from './problem.ts';
import { serveBench, someBatch, someNetwork } from './serve.case.ts';

/** Values that stand where others should. */
const junk = fc.oneof(
  fc.constantFrom(
    null,
    -1,
    0.5,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    '',
    'x'.repeat(300),
    '__proto__',
    [],
    {},
    true,
    50_001,
  ),
  fc.jsonValue(),
);

/** A good batch in which one thing, anywhere, was exchanged or left out. */
const damaged = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), junk, at: fc.nat(), deeper: fc.boolean(), drop: fc.boolean() })
  .map(({ rows, junk, at, deeper, drop }) => {
    const body = {
      ...someBatch('batch-0001', 1e12, rows),
      detail: Array.from({ length: rows }, () => null),
    } as unknown as Record<string, unknown>;
    const names = [...Object.keys(body), 'extra'];
    const name = names[at % names.length] as string;
    const inner = body[name];
    if (drop) delete body[name];
    else if (deeper && Array.isArray(inner))
      body[name] = inner.map((v: unknown, i) => (i === at % inner.length ? junk : v));
    else if (deeper && typeof inner === 'object' && inner !== null) body[name] = { ...inner, rttMs: junk };
    else body[name] = junk;
    return body;
  });

function verdict(value: unknown): boolean {
  try {
    checkBatch(value);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return false;
    throw error;
  }
}

/** What the schema cannot say: lengths that agree, indexes that exist, times that are. */
function isWhole(value: unknown): boolean {
  const { success, data: b } = batchBody.safeParse(value);
  if (!success) return false;
  const columns = [
    b.atMs,
    b.endpoint,
    b.kind,
    b.outcome,
    b.verdict,
    b.state,
    ...Object.values(b.metrics),
    ...(b.detail ? [b.detail] : []),
  ];
  const isIndex = (size: number) => (i: number | null) => i !== null && Number.isInteger(i) && i >= 0 && i < size;
  const texts = [b.endpoints, b.states, b.outcomes, b.detail ?? []].flat();
  return (
    texts.every((t) => t === null || !/\p{Surrogate}/u.test(t)) &&
    columns.every((c) => c.length === b.count) &&
    b.atMs.every((at) => at >= 0 && at <= 8.64e15) &&
    b.endpoint.every(isIndex(b.endpoints.length)) &&
    b.kind.every(isIndex(b.kinds.length)) &&
    b.outcome.every(isIndex(b.outcomes.length)) &&
    b.verdict.every(isIndex(3)) &&
    b.state.every((i) => i === null || isIndex(b.states.length)(i))
  );
}

const agree = (value: unknown): void => {
  expect(verdict(value)).toBe(isWhole(value));
};

describe('checkBatch()', () => {
  test('agrees with the schema and a slow check on good, damaged and arbitrary values', () => {
    expect(verdict(someBatch('batch-0001', 1e12))).toBe(true);
    fc.assert(fc.property(damaged, agree), { numRuns: 5000 });
    fc.assert(fc.property(fc.anything(), agree), { numRuns: 2000 });
  });

  test('names the column and the row', () => {
    const body = { ...someBatch('batch-0001', 1e12), endpoint: [0, 1, 0] };
    expect(() => checkBatch(body)).toThrow('endpoint/1 expected an index below 1');
  });
});

describe('POST /agent/v1/batches', () => {
  const post = async (bench: Awaited<ReturnType<typeof serveBench>>, agent: string) => {
    const certificate = await bench.enroll(agent);
    return (body: unknown, headers = {}) =>
      bench.ask('POST', '/agent/v1/batches', { door: 'agents', certificate, body, headers });
  };

  test('stores a key once for each agent: nobody can spend the key of another', async () => {
    const bench = await serveBench();
    const [one, two] = [await post(bench, 'one'), await post(bench, 'two')];
    const batch = someBatch('batch-0001', bench.io.clock.wallMs());
    expect(await (await one(batch)).json()).toEqual({ key: 'batch-0001', result: 'stored' });
    expect(await (await one(batch)).json()).toEqual({ key: 'batch-0001', result: 'duplicate' });
    expect(await (await two(batch)).json()).toEqual({ key: 'batch-0001', result: 'stored' });
    expect(bench.store.held.map((s) => s.id)).toEqual(
      [0, 1, 2].map((i) => `one/batch-0001/${i}`).concat([0, 1, 2].map((i) => `two/batch-0001/${i}`)),
    );
  });

  test('takes endpoints that the file has or once had, and no others', async () => {
    const bench = await serveBench();
    const send = await post(bench, 'edge');
    const nowMs = bench.io.clock.wallMs();
    bench.next.network = someNetwork({ endpoints: [{ name: 'new', url: 'https://new.example' }] });
    await bench.context.configuration.reload();
    expect((await send(someBatch('batch-0001', nowMs))).status).toBe(200);
    expect((await send({ ...someBatch('batch-0002', nowMs), endpoints: ['new'] })).status).toBe(200);
    expect((await send({ ...someBatch('batch-0003', nowMs), endpoints: ['other'] })).status).toBe(422);
    expect((await send({ ...someBatch('batch-0004', nowMs), endpoints: ['edge'], kinds: ['client'] })).status).toBe(
      200,
    );
    expect((await send({ ...someBatch('batch-0005', nowMs), outcomes: ['great'] })).status).toBe(422);
  });

  test('of a clock that is days ahead, refuses the rows and stores all others under their numbers', async () => {
    const bench = await serveBench();
    const send = await post(bench, 'edge');
    const nowMs = bench.io.clock.wallMs();
    const ahead = nowMs + 73 * 3_600_000;
    const mixed = { ...someBatch('batch-0001', nowMs), atMs: [nowMs, ahead, nowMs + 1] };
    const reply = await send(mixed);
    expect([reply.status, await reply.json()]).toEqual([200, { key: 'batch-0001', result: 'stored', refused: 1 }]);
    expect(bench.store.held.map(({ id, metrics }) => [id, metrics.rttMs])).toEqual([
      ['edge/batch-0001/0', 0.5],
      ['edge/batch-0001/2', 2.5],
    ]);
    expect(await (await send(mixed)).json()).toMatchObject({ result: 'duplicate' });
    expect(await (await send(someBatch('batch-0002', ahead))).json()).toMatchObject({ refused: 3 });
    expect(bench.store.held).toHaveLength(2);
  });

  test('answers 503 with Retry-After and stores nothing when the store fails or does not follow', async () => {
    const bench = await serveBench();
    const send = await post(bench, 'edge');
    const nowMs = bench.io.clock.wallMs();
    bench.store.beforeAppend = () => Promise.reject(new Error('ENOSPC'));
    const failed = await send(someBatch('batch-0001', nowMs));
    expect([failed.status, Number(failed.headers.get('retry-after')) > 0]).toEqual([503, true]);
    // For a moment nothing is tried.
    bench.io.advance(1000);
    let release = () => undefined as void;
    const gate = new Promise<void>((done) => (release = done));
    bench.store.beforeAppend = () => gate;
    const waiting = Array.from({ length: 64 }, (_, i) =>
      send(someBatch(`batch-1${String(i).padStart(3, '0')}`, nowMs)),
    );
    await expect.poll(() => bench.context.ingest.pending().batches).toBe(64);
    expect((await send(someBatch('batch-2000', nowMs))).status).toBe(503);
    release();
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
    expect((await send(someBatch('batch-0001', nowMs))).status).toBe(200);
    expect(bench.context.ingest.pending()).toEqual({ rows: 0, batches: 0 });
  });

  test('acknowledges only after the store has it', async () => {
    const bench = await serveBench();
    const send = await post(bench, 'edge');
    let release = () => undefined as void;
    bench.store.beforeAppend = () => new Promise<void>((done) => (release = done));
    let answered = false;
    const response = send(someBatch('batch-0001', bench.io.clock.wallMs())).then((r) => ((answered = true), r));
    await expect.poll(() => bench.context.ingest.pending().batches).toBe(1);
    expect(answered).toBe(false);
    release();
    expect((await response).status).toBe(200);
  });

  test('takes gzip, and no bomb of it', async () => {
    const { gzipSync } = await import('node:zlib');
    const bench = await serveBench();
    const certificate = await bench.enroll('edge');
    const { createApp } = await import('./app.ts');
    const { routes } = await import('./routes.ts');
    const app = createApp(routes, { door: 'agents', hosts: new Set(['a']) }, bench.context);
    const send = (octets: Uint8Array) =>
      app(
        new Request('https://a/agent/v1/batches', {
          method: 'POST',
          body: Buffer.from(octets),
          headers: { host: 'a', 'content-type': 'application/json', 'content-encoding': 'gzip' },
        }),
        { address: '127.0.0.1', tls: true, certificate, target: '/agent/v1/batches' },
      );
    expect((await send(gzipSync(JSON.stringify(someBatch('batch-0001', bench.io.clock.wallMs()))))).status).toBe(200);
    expect((await send(gzipSync(Buffer.alloc(40 << 20, 32)))).status).toBe(413);
    expect((await send(Buffer.from('no gzip'))).status).toBe(400);
  });
});

describe('every JSON body', () => {
  test('of every route is refused with 4xx when it is arbitrary, and nothing fails inside', async () => {
    const { routes } = await import('./routes.ts');
    const bench = await serveBench();
    const [token, certificate] = [await bench.token('admin'), await bench.enroll('edge')];
    const withBody = routes.filter((r) => r.body);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...withBody), fc.oneof(fc.jsonValue(), fc.string()), async (route, body) => {
        // The clock runs, so that no limit of rates answers in place of the check.
        bench.io.advance(60_000);
        const door = route.doors[0] ?? 'web';
        const who = door === 'agents' ? { certificate } : { token };
        const { status } = await bench.ask(route.method, route.path.replaceAll(/:\w+/g, 'a'), { door, body, ...who });
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 600 },
    );
    expect(bench.io.stderr()).toBe('');
  });
});
