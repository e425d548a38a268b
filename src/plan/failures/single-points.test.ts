import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyGraph } from '../../stats/graph/graph.case.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { simulate } from './simulate.ts';
import { singlePoints } from './single-points.ts';
import { pairsReport, questionOf, type Study } from './study.ts';

/** Every link and every node can fail; pairs are between all nodes. */
function studyOf(graph: ReturnType<typeof makeGraph>): Study {
  const nodes = Array.from({ length: graph.nodes }, (_, v) => v);
  return {
    name: null,
    graph,
    nodeNames: nodes.map((v) => `n${v}`),
    elements: [
      ...Array.from(graph.from, (_, l) => ({ kind: 'link' as const, name: `l${l}`, links: [l], nodes: [] })),
      ...nodes.map((v) => ({ kind: 'node' as const, name: `n${v}`, links: [], nodes: [v] })),
    ],
    sources: nodes,
    isEnd: new Uint8Array(graph.nodes).fill(1),
    unit: 'hop',
    scale: 1,
    lengths: 'hops',
    limit: null,
  };
}

test('what one walk finds is what the search of all single failures finds', async () => {
  await fc.assert(
    fc.asyncProperty(anyGraph({ nodes: 9, links: 11, directed: false }), async (input) => {
      const study = studyOf(makeGraph(input));
      const question = questionOf(study, false);
      const simulation = await simulate(question, study.sources, { threads: 0, isStopped: () => false });
      const { singles } = pairsReport(study, question, simulation);
      const { count, worst } = singlePoints(study);
      expect(count).toBe(singles.breaking);
      const searched = singles.worst.filter(({ disconnectedPairs }) => disconnectedPairs > 0);
      expect(worst.map((one) => one.disconnectedPairs)).toEqual(
        searched.map((one) => one.disconnectedPairs).sort((a, b) => b - a),
      );
    }),
    { numRuns: 300 },
  );
});
