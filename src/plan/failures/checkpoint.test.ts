import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyGraph } from '../../stats/graph/graph.case.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { checkpointText, readCheckpoint } from './checkpoint.ts';
import { elementTable, linkElements } from './elements.ts';
import { simulate } from './simulate.ts';
import type { Question } from './source.ts';

function questionOf(input: Parameters<typeof makeGraph>[0], limit = 5): Question {
  const graph = makeGraph(input);
  const elements = linkElements(Array.from({ length: graph.links }, (_, l) => `${l}`));
  const isEnd = new Uint8Array(graph.nodes).fill(1);
  return { graph, table: elementTable(graph, elements), isEnd, limit, doubles: true };
}

const ring = questionOf({ nodes: 5, from: [0, 1, 2, 3, 4], to: [1, 2, 3, 4, 0], length: [1, 2, 3, 4, 5] });
const sources = [0, 1, 2, 3, 4];

describe('a checkpoint', () => {
  test('is read as what was written, for any graph', async () => {
    await fc.assert(
      fc.asyncProperty(anyGraph({ directed: false }), async (input) => {
        const question = questionOf(input);
        const all = Array.from({ length: input.nodes }, (_, v) => v);
        let asked = 0;
        const part = await simulate(question, all, { threads: 0, isStopped: () => ++asked > 3 });
        expect(readCheckpoint(checkpointText(question, part), question, all)).toEqual(part);
      }),
      { numRuns: 50 },
    );
  });

  test('of another network, other flags, or other sources is refused', async () => {
    const text = checkpointText(ring, await simulate(ring, sources, { threads: 0, isStopped: () => false }));
    const longer = questionOf({ nodes: 5, from: [0, 1, 2, 3, 4], to: [1, 2, 3, 4, 0], length: [1, 2, 3, 4, 6] });
    expect(readCheckpoint(text, longer, sources)).toEqual({ error: 'belongs to another network or other flags' });
    expect(readCheckpoint(text, { ...ring, limit: 6 }, sources)).toHaveProperty('error');
    expect(readCheckpoint(text, { ...ring, doubles: false }, sources)).toHaveProperty('error');
    expect(readCheckpoint(text, ring, [0, 1])).toEqual({ error: 'is damaged' });
  });

  test('that was damaged anywhere is refused or whole, and never thrown at', async () => {
    const text = checkpointText(ring, await simulate(ring, sources, { threads: 0, isStopped: () => false }));
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 5 }), (at, gone, put) => {
        const read = readCheckpoint(text.slice(0, at) + put + text.slice(at + gone), ring, sources);
        if (!('error' in read)) expect(read.effects.extra).toHaveLength(15);
      }),
      { numRuns: 2000 },
    );
  });
});
