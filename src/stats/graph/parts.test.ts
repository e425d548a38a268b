import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyGraph, floyd } from './graph.case.ts';
import { makeGraph } from './graph.ts';
import { partsOf } from './parts.ts';

const mask = (max: number) =>
  fc.array(fc.nat(1), { minLength: max, maxLength: max }).map((bits) => Uint8Array.from(bits));

test('two nodes are in one part exactly where a path joins them, whatever is gone', () => {
  fc.assert(
    fc.property(anyGraph({ directed: false }), mask(16), mask(8), (input, links, nodes) => {
      const graph = makeGraph(input);
      const far = floyd(graph, { links, nodes });
      const parts = partsOf(graph, { links, nodes });
      const numbers = [...new Set(parts)].filter((part) => part >= 0);
      expect(numbers).toEqual(numbers.map((_, i) => i));
      for (let a = 0; a < graph.nodes; a++) {
        expect(parts[a] === -1).toBe(nodes[a] === 1);
        for (let b = 0; b < graph.nodes; b++)
          if (!nodes[a] && !nodes[b]) expect(parts[a] === parts[b]).toBe(far[a]![b] !== Infinity);
      }
    }),
  );
});
