import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { drawFrom, madeUp, mutantOf, packsOf } from '../../../test/fixtures/capture-mutants.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import { startCrew } from './crew.ts';
import { type CaptureSource, framesOf, readPieces } from './open.ts';
import { Analyst, type Findings } from './analyst.ts';
import { Worst } from './summary.ts';
import type { OpenFile } from '../../wire/io.ts';
import { fileOf } from '../../wire/open-file.ts';
import { scan } from './scan.case.ts';

const fixture = join(import.meta.dirname, '../../../test/fixtures/captures/lost-and-late.pcapng.gz');
const capture = gunzipSync(readFileSync(fixture));

async function* pieces(octets: Uint8Array, size: number) {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}
const sourceOf = (octets: Uint8Array, size = 20_000): CaptureSource => ({
  name: 'x',
  file: fileOf(pieces(octets, size)),
  totalBytes: octets.length,
});

function collector() {
  const found = { exchanges: [] as unknown[], events: [] as unknown[], flows: [] as FlowWithExchanges[] };
  const findings: Findings = {
    exchange: (flow, exchange) => found.exchanges.push({ flow, exchange }),
    event: (flow, event) => found.events.push({ flow, ...event }),
    flow: (_, flow) => flow && found.flows.push(flow),
  };
  return { found, findings };
}

const crews: { finish(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const crew of crews) await crew.finish().catch(() => undefined);
});

/** What two threads find in files that are one capture, after it was held against what one finds. */
async function foundAlike(files: Iterable<Buffer>) {
  const alone = collector();
  const analyst = new Analyst(alone.findings, { seed: 1, told: 'all' });
  const taker = () => {
    analyst.analysis.beginFile();
    return framesOf(
      (frame) => analyst.analysis.later(frame),
      () => analyst.analysis.turn(),
    );
  };
  const shared = collector();
  const crew = startCrew(2, shared.findings, { seed: 1, told: 'all' });
  crews.push(crew);
  for (const octets of files) {
    const one = await readPieces(sourceOf(octets), taker());
    const two = await readPieces(sourceOf(octets), crew.file());
    expect(two).toEqual(one);
  }
  expect(crew.startEpochMs).toBe(analyst.startEpochMs);
  analyst.analysis.finish();
  crews.pop();
  expect(await crew.finish()).toEqual(analyst.sums());
  for (const of of ['exchanges', 'events', 'flows'] as const) {
    const texts = (list: unknown[]) => list.map((one) => JSON.stringify(one)).sort();
    expect(texts(shared.found[of])).toEqual(texts(alone.found[of]));
  }
  return shared.found;
}

const patient = { timeout: 60_000 };

test('threads find what one finds in two files, one of them cut off and one no capture', patient, async () => {
  const cut = capture.subarray(0, capture.length - 10);
  const found = await foundAlike([capture, Buffer.from('no capture at all'), Buffer.alloc(0), cut]);
  expect(found.flows.length).toBeGreaterThan(4);
  expect(found.events.length).toBeGreaterThan(4);
});

test('two taps of the same time are looked at each by itself, whoever looks', patient, async () => {
  const [once, twice] = [await foundAlike([capture]), await foundAlike([capture, capture])];
  expect(twice.flows).toHaveLength(2 * once.flows.length);
  expect(twice.exchanges).toHaveLength(2 * once.exchanges.length);
  expect(twice.events).toHaveLength(2 * once.events.length);
});

test('threads find what one finds in captures that no honest tool wrote', patient, async () => {
  const streams = packsOf(capture);
  function* hostile() {
    for (let seed = 1; seed <= 60; seed++) {
      const draw = drawFrom(seed);
      yield mutantOf(draw(3) === 0 ? streams : madeUp(draw, 400), draw).file;
    }
  }
  const found = await foundAlike(hostile());
  expect(found.flows.length).toBeGreaterThan(100);
});

test(
  'where only the worst are asked for the others are added up all the same, and the same are the worst',
  patient,
  async () => {
    const [all, few] = [collector(), collector()];
    const everybody = new Analyst(all.findings, { seed: 1, told: 'all' });
    await readPieces(
      sourceOf(capture),
      framesOf((frame) => everybody.analysis.frame(frame)),
    );
    everybody.analysis.finish();
    const crew = startCrew(2, few.findings, { seed: 1, told: 2 });
    await readPieces(sourceOf(capture), crew.file());
    expect(await crew.finish()).toEqual(everybody.sums());
    const worstOf = (flows: FlowWithExchanges[]) => {
      const worst = new Worst(2);
      for (const flow of flows) worst.add(flow);
      return worst.lists;
    };
    expect(worstOf(few.found.flows)).toEqual(worstOf(all.found.flows));
    expect(worstOf(few.found.flows).streams).toHaveLength(2);
    expect(few.found.flows.length).toBeLessThan(all.found.flows.length);
  },
);

test('the same capture is told in the same order, whoever was quick', patient, async () => {
  const octets = Buffer.concat([...scan(25_000, 1500)]);
  async function told(waits: readonly number[]): Promise<number[]> {
    const numbers: number[] = [];
    const crew = startCrew(3, { flow: (number) => numbers.push(number) }, { seed: 1, told: 2 });
    const source = sourceOf(octets, 20_000);
    let reads = 0;
    const file: OpenFile = {
      read: async (memory) => {
        await sleep(waits[reads++ % waits.length]);
        return source.file.read(memory);
      },
      close: () => source.file.close(),
    };
    await readPieces({ ...source, file }, crew.file());
    await crew.finish();
    return numbers;
  }
  const first = await told([0]);
  expect(first.length).toBeGreaterThan(10_000);
  for (const waits of [[20], [0, 0, 0, 30]]) expect(await told(waits)).toEqual(first);
});

test('reading that is stopped tells what was taken until then', patient, async () => {
  const { found, findings } = collector();
  const crew = startCrew(2, findings, { seed: 1, told: 'all' });
  const stop = new AbortController();
  const read = await readPieces(sourceOf(capture), crew.file(), {
    signal: stop.signal,
    onProgress: ({ frames }) => frames > 0 && stop.abort(),
  });
  expect(read.end).toEqual({ kind: 'interrupted' });
  const sums = await crew.finish();
  expect(sums.frames).toBe(read.frames);
  expect(sums.frames).toBeGreaterThan(0);
  expect(found.flows.length).toBeGreaterThan(0);
});
