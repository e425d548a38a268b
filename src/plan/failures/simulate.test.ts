import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortestPaths } from '../../stats/graph/dijkstra.ts';
import { anyGraph, floyd } from '../../stats/graph/graph.case.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { detailsOf } from './details.ts';
import { elementTable, linkElements, nodeElements } from './elements.ts';
import { naiveEffect } from './naive.case.ts';
import { rank } from './rank.ts';
import { simulate, type Simulation } from './simulate.ts';
import type { Question } from './source.ts';

/** A ring of `count` nodes with a chord from each third to the one opposite. */
function ring(count: number): Question & { sources: number[] } {
  const chords = Array.from({ length: count }, (_, v) => v).filter((v) => v % 3 === 0 && v < count / 2);
  const sources = Array.from({ length: count }, (_, v) => v);
  const graph = makeGraph({
    nodes: count,
    from: [...sources, ...chords],
    to: [...sources.map((v) => (v + 1) % count), ...chords.map((v) => (v + (count >> 1)) % count)],
    length: [...sources, ...chords].map((v) => 1 + (v % 7)),
  });
  const elements = linkElements(Array.from({ length: graph.links }, (_, l) => `${l}`));
  const isEnd = new Uint8Array(count).fill(1);
  return { graph, table: elementTable(graph, elements), isEnd, limit: 20, doubles: true, sources };
}

describe('a simulation', () => {
  test('comes to the same with no threads and with three', async () => {
    const { sources, ...question } = ring(30);
    const alone = await simulate(question, sources, { threads: 0, isStopped: () => false });
    for (const threads of [3]) {
      const together = await simulate(question, sources, { threads, isStopped: () => false });
      expect(together.effects).toEqual(alone.effects);
      expect(together.done.toSorted((a, b) => a - b)).toEqual(sources);
    }
  });

  test.each([0, 2])('that is stopped goes on later from what it kept, with %i threads', async (threads) => {
    const { sources, ...question } = ring(24);
    const whole = await simulate(question, sources, { threads: 0, isStopped: () => false });
    let asked = 0;
    const first = await simulate(question, sources, { threads, isStopped: () => ++asked > 5 });
    expect(first.done.length).toBeGreaterThan(0);
    expect(first.done.length).toBeLessThan(sources.length);
    const counts: number[] = [];
    const progress = (done: number, total: number) => counts.push(done, total);
    const second = await simulate(question, sources, { threads, isStopped: () => false, before: first, progress });
    expect(second.effects).toEqual(whole.effects);
    expect(counts.slice(-2)).toEqual([24, 24]);
  });

  test.each([0, 2])('saves whole states on the way, with %i threads', async (threads) => {
    const { sources, ...question } = ring(24);
    const saved: Simulation[] = [];
    let nowMs = 0;
    const save = async (state: Simulation) => void saved.push(structuredClone(state));
    await simulate(question, sources, {
      threads,
      isStopped: () => false,
      keep: { everyMs: 3, save, nowMs: () => nowMs++ },
    });
    expect(saved.length).toBeGreaterThan(0);
    for (const { effects, done } of saved) {
      const again = await simulate(question, done, { threads: 0, isStopped: () => false });
      expect(effects).toEqual(again.effects);
    }
  });
});

describe('the ranking', () => {
  test('adds up and orders as a list of all naive effects would', async () => {
    await fc.assert(
      fc.asyncProperty(anyGraph({ nodes: 7, links: 11, directed: false }), fc.nat(20), async (input, limit) => {
        const graph = makeGraph(input);
        const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
        const elements = [...linkElements(names(graph.links)), ...nodeElements(names(graph.nodes))];
        const sources = [...names(graph.nodes).keys()];
        const isEnd = new Uint8Array(graph.nodes).fill(1);
        const question = { graph, table: elementTable(graph, elements), isEnd, limit, doubles: true };
        const { effects } = await simulate(question, sources, { threads: 0, isStopped: () => false });
        const { singles, doubles } = rank(effects, 5);
        const all = elements.flatMap((x, i) =>
          elements
            .slice(i + 1)
            .map((y, k) => ({ pair: [i, i + 1 + k], effect: naiveEffect(question, sources, [x, y]) })),
        );
        const alone = elements.map((x) => naiveEffect(question, sources, [x]));
        const sum = (list: readonly number[]) => BigInt(list.reduce((total, one) => total + one, 0));
        expect(singles).toMatchObject({ cases: alone.length, broken: sum(alone.map(({ broken }) => broken)) });
        expect(doubles).toMatchObject({
          cases: all.length,
          breaking: all.filter(({ effect }) => effect.broken > 0).length,
          broken: sum(all.map(({ effect }) => effect.broken)),
          extra: sum(all.map(({ effect }) => effect.extra)),
          late: sum(all.map(({ effect }) => effect.late)),
          together: all.filter(({ pair: [i, j], effect }) => effect.broken > alone[i!]!.broken + alone[j!]!.broken)
            .length,
        });
        const order = all
          .filter(({ effect }) => effect.broken > 0 || effect.late > 0 || effect.extra > 0)
          .toSorted(({ effect: a }, { effect: b }) => b.broken - a.broken || b.late - a.late || b.extra - a.extra);
        expect(doubles!.worst.map(({ effect }) => effect)).toEqual(order.slice(0, 5).map(({ effect }) => effect));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the details of a failure', () => {
  test('are what Dijkstra says, pair by pair', () => {
    const failure = fc.record({
      links: fc.array(fc.nat(13), { maxLength: 4 }),
      nodes: fc.array(fc.nat(6), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(anyGraph({ nodes: 8, links: 14, directed: false }), failure, (input, any) => {
        const graph = makeGraph(input);
        const failed = {
          links: any.links.filter((l) => l < graph.links),
          nodes: any.nodes.filter((v) => v < graph.nodes),
        };
        const isEnd = new Uint8Array(graph.nodes).fill(1);
        const sources = [...isEnd.keys()];
        const question = { graph, table: elementTable(graph, []), isEnd, limit: 12, doubles: false };
        const [detail] = detailsOf(question, sources, [failed]);
        const naive = naiveEffect(question, sources, [{ kind: 'site', name: '', ...failed }]);
        expect(detail!.effect).toEqual(naive);
        const masks = { links: new Uint8Array(graph.links), nodes: new Uint8Array(graph.nodes) };
        for (const link of failed.links) masks.links[link] = 1;
        for (const node of failed.nodes) masks.nodes[node] = 1;
        const [before, after] = [floyd(graph), floyd(graph, masks)];
        let most = 0;
        for (const a of sources)
          for (const b of sources) if (after[a]![b]! < Infinity) most = Math.max(most, after[a]![b]! - before[a]![b]!);
        const { stretched, cutOff } = detail!;
        expect(stretched ? stretched.after - stretched.before : 0).toBe(most);
        if (stretched) expect(shortestPaths(graph, stretched.from, masks).distance[stretched.to]).toBe(stretched.after);
        // Who is cut off has lost somebody that it had, and the others of each part still have each other.
        expect(cutOff.length === 0).toBe(naive.broken === 0);
        for (const a of sources)
          for (const b of sources)
            if (![a, b].some((v) => masks.nodes[v] || cutOff.includes(v)))
              expect(after[a]![b] === Infinity).toBe(before[a]![b] === Infinity);
      }),
      { numRuns: 300 },
    );
  });
});
