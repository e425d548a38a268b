import { describe, expect, test } from 'vitest';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import { whileHeld } from './turn.ts';
import { virtualClock } from '../../../test/fakes/virtual-clock.ts';
import { renderMetrics } from '../../report/openmetrics.ts';
import { createContext } from '../context.ts';
import { allFamilies } from '../metrics/families.ts';
import { serveBench, someNetwork } from '../serve.case.ts';
import { Authorities, sharedPlace } from '../pki/authorities.ts';
import { Cluster } from './cluster.ts';
import { Seal } from './seal.ts';

function nodes(count: number) {
  const documents = memoryDocuments();
  const clock = virtualClock();
  const all = Array.from(
    { length: count },
    (_, i) => new Cluster(documents, { clock, random: { uuid: () => `node-${i}` } }),
  );
  return { documents, clock, all };
}

const holdersOf = async (all: readonly Cluster[]) => {
  const fences = await Promise.all(all.map(async (node) => ((await node.fence('watch')) ? [node.id] : [])));
  return fences.flat();
};

describe('cluster', () => {
  test('one of the nodes that live has the turn, and another when it is gone', async () => {
    const { clock, all } = nodes(3);
    for (const node of all) await node.beat();
    const [holder] = await holdersOf(all);
    expect(await holdersOf(all)).toEqual([holder]);
    const left = all.filter(({ id }) => id !== holder);
    for (let i = 0; i < 5; i++) {
      await clock.run(3000);
      for (const node of left) await node.beat();
    }
    const next = await holdersOf(left);
    expect(next).toHaveLength(1);
    expect(next).not.toEqual([holder]);
  });

  test('a node that leaves is not waited for', async () => {
    const { all } = nodes(3);
    for (const node of all) await node.beat();
    const [holder] = await holdersOf(all);
    await all.find(({ id }) => id === holder)?.leave();
    expect(await holdersOf(all.filter(({ id }) => id !== holder))).toHaveLength(1);
  });

  test('whoever has lost the lease commits nothing, however late it wakes up', async () => {
    const { clock, documents, all } = nodes(2);
    for (const node of all) await node.beat();
    const [id] = await holdersOf(all);
    const [sleeper, other] = all[0]?.id === id ? all : all.toReversed();
    const old = await sleeper!.fence('watch');
    for (let i = 0; i < 5; i++) {
      await clock.run(3000);
      await other!.beat();
    }
    const fresh = await other!.fence('watch');
    const page = (name: string) => ({ put: { collection: 'outbox', id: name, body: {} }, version: 0 });
    expect(await documents.commit([old!, page('late')])).toBe(false);
    expect(await documents.commit([fresh!, page('once')])).toBe(true);
    // Awake again, it gets its turn back, and with it a fence of its own.
    await sleeper!.beat();
    const again = await sleeper!.fence('watch');
    expect(await documents.commit([fresh!, page('of the other')])).toBe(false);
    expect(await documents.commit([again!, page('mine')])).toBe(true);
  });

  test('a wall clock that steps changes nothing', async () => {
    const { clock, all } = nodes(3);
    for (const node of all) await node.beat();
    const before = await holdersOf(all);
    for (const step of [86_400_000, -3 * 86_400_000]) {
      clock.step(step);
      expect(await holdersOf(all)).toEqual(before);
    }
  });

  test('nodes that have been silent for long are forgotten', async () => {
    const { clock, documents, all } = nodes(2);
    for (const node of [...all, all[0]!]) await node.beat();
    await clock.run(11 * 60_000);
    await all[0]!.beat();
    expect((await documents.list('node')).map(({ id }) => id)).toEqual(['node-0']);
  });

  test('work of the holder starts and stops with the lease', async () => {
    const { clock, all } = nodes(2);
    for (const node of all) await node.beat();
    const [id] = await holdersOf(all);
    const holder = all.find((node) => node.id === id)!;
    const told: string[] = [];
    const work = { start: () => void told.push('start'), stop: async () => void told.push('stop') };
    const stop = new AbortController();
    const done = whileHeld(work, { cluster: holder, task: 'watch' }, { clock, log: fakeIo().log }, stop.signal);
    await clock.run(4000);
    expect(told).toEqual(['start']);
    await holder.leave();
    stop.abort();
    await done;
    expect(told).toEqual(['start', 'stop']);
  });
});

describe('what nodes share', () => {
  test('an agent that one node has heard of is known to all, also when that node is gone', async () => {
    const bench = await serveBench();
    const { documents, io, store, context } = bench;
    const { configuration } = context;
    const make = () => {
      const cluster = new Cluster(documents, io);
      const stopping = new AbortController().signal;
      const parts = { io, version: '0', documents, store, configuration, authorities: null, agentsUrl: null, stopping };
      return { ...createContext({ ...parts, cluster }), cluster };
    };
    const [a, b] = [make(), make()];
    for (const node of [a, b]) await node.cluster.beat();
    a.ingest.heard('one');
    const heardMs = io.clock.wallMs();
    await a.arrivals.share();
    io.advance(1000);
    b.ingest.heard('two');
    const known = async () => (await b.arrivals.all()).map((one) => `${one.agent} ${one.lastArrivalMs}`).sort();
    expect(await known()).toEqual([`one ${heardMs}`, `two ${heardMs + 1000}`]);
    // What one node has counted is counted once, however many nodes are asked.
    const metrics = [...renderMetrics(await allFamilies(b, io.clock.wallMs()), 'openmetrics')].join('');
    const lines = metrics.split('\n').filter((line) => /^inferpath_agent_(last_arrival|samples)/.test(line));
    expect(lines.map((line) => line.replace(/ .*/, ''))).toEqual([
      'inferpath_agent_last_arrival_timestamp_seconds{agent="two"}',
      'inferpath_agent_last_arrival_timestamp_seconds{agent="one"}',
      'inferpath_agent_samples_total{agent="two"}',
    ]);
    await a.cluster.leave();
    await b.arrivals.share();
    expect((await documents.list('arrivals')).map(({ id }) => id)).toEqual([b.cluster.id]);
    expect(await known()).toHaveLength(2);
    const writes = JSON.stringify(await documents.list('arrivals'));
    await b.arrivals.share();
    expect(JSON.stringify(await documents.list('arrivals'))).toBe(writes);
  });

  test('an agent that another node has heard of is not silent, although the clock of that node is ahead', async () => {
    const watch = { agents: [{ name: 'one' }], schedule: [{ probe: 'tcp', every: '10s' }] };
    const bench = await serveBench(someNetwork({ watch }));
    const { documents, io, store, context } = bench;
    const cluster = new Cluster(documents, io);
    const stopping = new AbortController().signal;
    const parts = { io, version: '0', documents, store, configuration: context.configuration, authorities: null };
    const node = createContext({ ...parts, agentsUrl: null, stopping, cluster });
    const rules: string[] = [];
    const turns = async (count: number, aheadMs: number) => {
      for (let i = 0; i < count; i++) {
        io.advance(5000);
        const seenMs = io.clock.wallMs() + aheadMs;
        const version = (await documents.get('arrivals', 'other'))?.version ?? 0;
        const put = { collection: 'arrivals', id: 'other', body: { agents: [['one', seenMs, seenMs, 1, 1]] } };
        await documents.commit([{ put, version }]);
        rules.push(...((await node.evaluation.turn()) ?? []).map(({ alert }) => alert.rule));
      }
    };
    await turns(60, 3000);
    expect(rules.filter((rule) => rule.includes('silent'))).toEqual([]);
    await turns(60, -300_000);
    expect(rules.filter((rule) => rule.includes('silent')).length).toBeGreaterThan(0);
  });

  test('authorities are the same at every node, follow a rotation, and open with the key of the cluster alone', async () => {
    const documents = memoryDocuments();
    const { clock } = fakeIo();
    const place = (key: string) => sharedPlace(documents, new Seal(key));
    const key = 'k'.repeat(44);
    const [a, b] = await Promise.all([Authorities.openAt(place(key), clock), Authorities.openAt(place(key), clock)]);
    expect(a.pin()).toBe(b.pin());
    let told = 0;
    b.onChange(() => void told++);
    await a.rotate(0);
    expect(b.trusted()).toHaveLength(1);
    await b.refresh();
    expect([b.trusted().length, told]).toEqual([2, 1]);
    expect(b.bundle()).toBe(a.bundle());
    expect(JSON.stringify([...documents.all.values()])).not.toContain('PRIVATE');
    await expect(Authorities.openAt(place('x'.repeat(44)), clock)).rejects.toThrow('another cluster key');
    expect(() => new Seal('short')).toThrow(RangeError);
  });
});
