import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyGraph } from './graph.case.ts';
import { acrossFrom, makeGraph, reversed } from './graph.ts';

describe('a graph', () => {
  test('has each link once among the arcs of each of its ends', () => {
    const graph = makeGraph({ nodes: 3, from: [0, 1, 0, 2], to: [1, 2, 1, 2], length: [1, 2, 3, 4] });
    const arcs = [0, 1, 2].map((v) => Array.from(graph.link.slice(graph.offset[v], graph.offset[v + 1])));
    expect(arcs).toEqual([
      [0, 2],
      [0, 1, 2],
      [1, 3, 3],
    ]);
    expect([...graph.target]).toEqual([1, 1, 0, 2, 0, 1, 2, 2]);
    expect([...graph.arcLength]).toEqual([1, 3, 1, 2, 3, 2, 4, 4]);
  });

  test('that is directed has one arc per link, and turned round twice is itself', () => {
    fc.assert(
      fc.property(anyGraph({ directed: true }), (input) => {
        const graph = makeGraph(input);
        expect(graph.target).toHaveLength(input.from.length);
        expect(reversed(reversed(graph))).toEqual(graph);
        for (let v = 0; v < graph.nodes; v++)
          for (let arc = graph.offset[v]!; arc < graph.offset[v + 1]!; arc++) {
            expect(graph.from[graph.link[arc]!]).toBe(v);
            expect(graph.to[graph.link[arc]!]).toBe(graph.target[arc]);
          }
      }),
    );
  });

  test('without lengths counts hops', () => {
    expect([...makeGraph({ nodes: 2, from: [0], to: [1] }).arcLength]).toEqual([1, 1]);
  });

  test('knows the other end of a link, and of a self-loop the same', () => {
    const graph = makeGraph({ nodes: 2, from: [0, 1], to: [1, 1] });
    expect([acrossFrom(graph, 0, 0), acrossFrom(graph, 0, 1), acrossFrom(graph, 1, 1)]).toEqual([1, 0, 1]);
  });

  test('refuses what is none, and says which link', () => {
    expect(() => makeGraph({ nodes: -1, from: [], to: [] })).toThrow('-1 nodes');
    expect(() => makeGraph({ nodes: 2, from: [0, 0], to: [1, 2] })).toThrow('link 1: it joins 0 and 2 of 2 nodes');
    expect(() => makeGraph({ nodes: 2, from: [0.5], to: [1] })).toThrow('link 0');
    expect(() => makeGraph({ nodes: 2, from: [0], to: [1], length: [-1] })).toThrow('link 0: its length is -1');
    expect(() => makeGraph({ nodes: 2, from: [0], to: [1], length: [NaN] })).toThrow('its length is NaN');
    expect(() => makeGraph({ nodes: 2, from: [0], to: [] })).toThrow('1 starts, 0 ends');
  });
});
