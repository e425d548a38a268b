import { createReadStream } from 'node:fs';
import { fileOf } from '../../wire/open-file.ts';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { observation } from '../../model/observation.ts';
import { network } from '../../model/network.ts';
import type { Sample } from '../../model/sample.ts';
import { samplesOf } from '../../store/columns.ts';
import type { Batch } from '../../store/store.ts';
import { keeper } from './keep.ts';
import { captureSession } from './session.ts';

const fixture = fileURLToPath(new URL('../../../test/fixtures/captures/lost-and-late.pcapng.gz', import.meta.url));

/** A store that knows batches by their keys. */
function memory() {
  const samples: Sample[] = [];
  const known = new Set<string>();
  const append = async (batches: readonly Batch[]) =>
    batches.map((batch) => {
      if (known.has(batch.key)) return 'duplicate' as const;
      known.add(batch.key);
      samples.push(...samplesOf(batch));
      return 'stored' as const;
    });
  return { append, samples };
}

async function keep(store: ReturnType<typeof memory>, file: Parameters<typeof keeper>[1]) {
  const keeping = keeper(store, file, 'gateway');
  const flow = (one: Parameters<typeof keeping.flow>[0]) => keeping.flow(one, session.startAt());
  const session = captureSession({ prefixes: [], top: 1, seed: 1, threads: 1 }, { flow });
  const source = { name: 'fixture', file: fileOf(createReadStream(fixture)), totalBytes: null };
  await session.read(source, {});
  return keeping.end((await session.finish({ sources: [], recordedDrops: 0, interrupted: false })).report);
}

describe('what is kept of a capture', () => {
  test('connections and answers come under the name of their endpoint, and the capture itself once', async () => {
    const store = memory();
    const file = network.parse({
      version: 1,
      endpoints: [{ name: 'chat', url: 'https://chat.example:7041/v1', addresses: ['10.1.0.0/24'] }],
    });
    expect(await keep(store, file)).toEqual({ samples: 11, known: 0, endpoints: 1, unnamed: 0 });
    const of = (kind: Sample['kind']) => store.samples.filter((one) => one.kind === kind);
    expect(of('capture-connection')).toHaveLength(5);
    expect(of('capture-exchange')).toHaveLength(5);
    expect(of('capture-quality')).toHaveLength(1);
    for (const { endpoint, agent, metrics } of of('capture-exchange')) {
      expect({ endpoint, agent }).toEqual({ endpoint: 'chat', agent: 'gateway' });
      expect(metrics.ttftMs).toBeGreaterThan(100);
      expect(metrics.gapMaxMs).toBeGreaterThan(60);
    }
    for (const { metrics } of of('capture-connection')) expect(metrics.rttMs).toBeCloseTo(40, 0);
    for (const { detail } of store.samples)
      expect(observation.parse(JSON.parse(detail!))).toMatchObject({ from: 'gateway' });
    // Who asked is nobody’s business.
    expect(JSON.stringify(store.samples)).not.toContain('10.1.0.1:');
  });

  test('the same capture again stores nothing twice', async () => {
    const store = memory();
    const first = await keep(store, null);
    expect(first.known).toBe(0);
    expect(await keep(store, null)).toEqual({ ...first, known: first.samples });
    expect(store.samples).toHaveLength(first.samples);
  });

  test('without a network file streams are named by address and port; what goes elsewhere is counted and left out', async () => {
    const store = memory();
    await keep(store, null);
    expect(new Set(store.samples.map(({ endpoint }) => endpoint))).toEqual(new Set(['10.1.0.2:7041', 'capture']));
    const other = network.parse({ version: 1, endpoints: [{ name: 'x', url: 'https://x.example' }] });
    expect(await keep(memory(), other)).toEqual({ samples: 0, known: 0, endpoints: 0, unnamed: 5 });
  });
});
