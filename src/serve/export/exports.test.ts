import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { fakeIo } from '../../../test/fakes/io.ts';
import { readSnappyBlock, readWriteRequest } from '../../wire/remote-write.case.ts';
import { bounds } from '../metrics/buckets.ts';
import { serveBench, someBatch, someNetwork } from '../serve.case.ts';
import { runExports } from './exports.ts';

const digits = z.string().regex(/^\d+$/);
const attributes = z.array(z.strictObject({ key: z.string(), value: z.strictObject({ stringValue: z.string() }) }));
const point = { attributes, startTimeUnixNano: digits, timeUnixNano: digits };
const numberPoints = z.array(z.strictObject({ ...point, asDouble: z.number() })).min(1);
const histogramPoint = z
  .strictObject({
    ...point,
    count: digits,
    sum: z.number(),
    bucketCounts: z.array(digits),
    explicitBounds: z.array(z.number()),
  })
  .refine((one) => one.bucketCounts.length === one.explicitBounds.length + 1)
  .refine((one) => one.bucketCounts.reduce((sum, count) => sum + Number(count), 0) === Number(one.count));
const head = {
  name: z.string().regex(/^(inferpath|gen_ai\.client|gen_ai\.server)\./),
  unit: z.string(),
  description: z.string().min(1),
};
/** The parts of opentelemetry.proto.collector.metrics.v1 that we write, in ProtoJSON; strict, so that a misspelt key fails. */
const exportRequest = z.strictObject({
  resourceMetrics: z.tuple([
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeMetrics: z.tuple([
        z.strictObject({
          scope: z.strictObject({ name: z.literal('inferpath'), version: z.string() }),
          metrics: z.array(
            z.union([
              z.strictObject({ ...head, gauge: z.strictObject({ dataPoints: numberPoints }) }),
              z.strictObject({
                ...head,
                sum: z.strictObject({
                  aggregationTemporality: z.literal(2),
                  isMonotonic: z.literal(true),
                  dataPoints: numberPoints,
                }),
              }),
              z.strictObject({
                ...head,
                histogram: z.strictObject({
                  aggregationTemporality: z.literal(2),
                  dataPoints: z.array(histogramPoint).min(1),
                }),
              }),
            ]),
          ),
        }),
      ]),
    }),
  ]),
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => void (await Promise.all(closing.splice(0).map((close) => close()))));

interface Got {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A server that pushes to a receiver which answers as it is told, the last answer for ever. */
async function pushing(target: object, answers: { status: number; headers?: Record<string, string> }[]) {
  const got: Got[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, headers = {} } = answers[Math.min(got.length, answers.length - 1)]!;
      got.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/push`;
  const watch = { export: [{ name: 'out', url, every: '1s', secretEnv: 'PUSH_KEY', ...target }] };
  const bench = await serveBench(someNetwork({ watch }));
  const io = fakeIo({ realClock: true, env: { PUSH_KEY: 'canary,key' } });
  const stop = new AbortController();
  const running = runExports(bench.context, { io, allow: ['127.0.0.1/32'], instance: 'host:1' }, stop.signal);
  closing.push(async () => {
    stop.abort();
    await running;
    receiver.closeAllConnections();
    await new Promise((done) => receiver.close(done));
  });
  return { bench, got, figures: () => bench.context.figures.exports.get('out') };
}
const soon = { timeout: 10_000, interval: 20 };

describe('runExports()', () => {
  test('remote-write: sends what can be read back, and ends a series that is gone', async () => {
    const { bench, got, figures } = await pushing({ type: 'remote-write', tenant: 'team' }, [{ status: 204 }]);
    await bench.context.ingest.store({ ...someBatch('batch-1', bench.io.clock.wallMs(), 3) }, 'a');
    const read = () => got.map(({ body }) => readWriteRequest(readSnappyBlock(body)));
    const rtt = () =>
      read().flatMap(({ series }) =>
        series
          .filter(({ labels }) => labels.some(([, value]) => value === 'inferpath_rtt_seconds_count'))
          .map(({ labels, samples }) => ({
            labels,
            hex: samples[0]!.bits.toString('hex'),
            count: samples[0]!.bits.readDoubleLE(),
          })),
      );
    await expect.poll(() => rtt().at(-1)?.count, soon).toBe(3);
    expect(rtt()[0]!.labels).toEqual([
      ['__name__', 'inferpath_rtt_seconds_count'],
      ['agent', 'a'],
      ['endpoint', 'chat'],
      ['instance', 'host:1'],
      ['job', 'inferpath'],
      ['probe', 'tcp'],
    ]);
    expect(got[0]!.headers).toMatchObject({
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
      'x-scope-orgid': 'team',
      authorization: 'Bearer canary,key',
    });
    for (const { series } of read())
      for (const { labels } of series)
        expect(labels.map(([name]) => name)).toEqual([...new Set(labels.map(([name]) => name!))].sort());
    expect(figures()).toMatchObject({ refused: 0, failed: 0 });
    bench.context.meter.configure(someNetwork({ endpoints: [{ name: 'other', url: 'https://other.example' }] }));
    await expect.poll(() => rtt().at(-1)?.hex, soon).toBe('020000000000f07f');
  });

  test('otlp: every body is one of the JSON encoding, with the names and bounds of the conventions', async () => {
    const { bench, got } = await pushing({ type: 'otlp', user: 'me' }, [{ status: 200 }]);
    await bench.context.ingest.store({ ...someBatch('batch-1', bench.io.clock.wallMs(), 3) }, 'a');
    const line = [...bench.context.meter.lines()][0]!;
    line.tallies.set('totalMs', { bounds: bounds.request, counts: new Float64Array(15).fill(1), sum: 60 });
    // Of one answer in which the server told its own times; the client's clock alone makes nothing of that name.
    const reported = [
      { source: 'x', covers: 'ttft', by: 'server', valueMs: 130, resolutionMs: 1 },
      { source: 'y', covers: 'headers', by: 'server', valueMs: 9, resolutionMs: 1 },
    ];
    const told = { ...someBatch('batch-2', bench.io.clock.wallMs(), 1), kinds: ['inference' as const] };
    const metrics = () =>
      got.flatMap(({ body }) => {
        const [one] = exportRequest.parse(JSON.parse(body.toString())).resourceMetrics;
        return one.scopeMetrics[0].metrics;
      });
    const named = (name: string) => metrics().findLast((metric) => metric.name === name);
    await expect.poll(() => named('gen_ai.client.operation.duration'), soon).toBeDefined();
    expect(named('gen_ai.client.operation.duration')).toMatchObject({
      unit: 's',
      histogram: { dataPoints: [{ count: '15', explicitBounds: [...bounds.request] }] },
    });
    expect(named('inferpath.rtt')).toMatchObject({ unit: 's', histogram: { dataPoints: [{ count: '3' }] } });
    expect(named('inferpath.ingest_samples')).toMatchObject({ sum: { dataPoints: [{ asDouble: 3 }] } });
    expect(metrics().filter(({ name }) => name.startsWith('gen_ai.server.'))).toEqual([]);
    await bench.context.ingest.store({ ...told, detail: [JSON.stringify({ server: { reported } })] }, 'a');
    await expect.poll(() => named('gen_ai.server.time_to_first_token'), soon).toBeDefined();
    expect(named('gen_ai.server.time_to_first_token')).toMatchObject({
      unit: 's',
      histogram: { dataPoints: [{ count: '1', sum: 0.13, explicitBounds: [...bounds.ttft] }] },
    });
    expect(named('gen_ai.server.request.duration')).toBeUndefined();
    expect(got[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:canary,key').toString('base64')}`);
  });

  test('tries again what may work later, and not what never will', async () => {
    const later = { status: 503 };
    const again = await pushing({ type: 'remote-write', every: '5s' }, [
      later,
      { status: 429, headers: { 'retry-after': '1' } },
      { status: 204 },
    ]);
    await expect.poll(again.figures, soon).toMatchObject({ done: 1, failed: 0, refused: 0 });
    const bodies = again.got.slice(0, 3).map(({ body }) => body.toString('hex'));
    expect(new Set(bodies).size).toBe(1);
    const never = await pushing({ type: 'remote-write', every: '30s' }, [{ status: 400 }]);
    await expect.poll(never.figures, soon).toMatchObject({ done: 0, failed: 0, refused: 1 });
    expect(never.got.length).toBe(1);
  });

  test.each([
    [500, 'refused'],
    [501, 'refused'],
    [408, 'refused'],
    [413, 'refused'],
    [502, 'done'],
    [504, 'done'],
    [429, 'done'],
  ])('otlp: HTTP %i is tried again only where its specification lets a client', async (status, result) => {
    const { got, figures } = await pushing({ type: 'otlp', every: '20s' }, [{ status }, { status: 200 }]);
    await expect.poll(() => figures()?.[result as 'done' | 'refused'], soon).toBe(1);
    expect(got[1]?.body.toString('hex') === got[0]?.body.toString('hex')).toBe(result === 'done');
  });

  test('otlp: waits as long as Retry-After asks', async () => {
    const { got, figures } = await pushing({ type: 'otlp', every: '20s' }, [
      { status: 503, headers: { 'retry-after': '2' } },
      { status: 200 },
    ]);
    await expect.poll(() => got.length, soon).toBe(1);
    const firstMs = performance.now();
    await expect.poll(() => figures()?.done, soon).toBe(1);
    expect(performance.now() - firstMs).toBeGreaterThan(1500);
  });

  test('goes nowhere that the operator has not permitted', async () => {
    const { got, figures } = await pushing({ type: 'otlp', url: 'http://127.0.0.2:9/v1/metrics' }, [{ status: 200 }]);
    await expect.poll(() => figures()?.failed ?? 0, soon).toBeGreaterThan(0);
    expect(got).toEqual([]);
  });
});
