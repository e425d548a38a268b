import fc from 'fast-check';
import { anyGraph } from '../../stats/graph/graph.case.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { makeRiskMap, type Risk, type RiskMap } from './risk-map.ts';

/** Any small map: each link and node a risk of its own, and some groups of links and nodes. */
export function anyRiskMap({ nodes = 8, links = 14, groups = 5 } = {}): fc.Arbitrary<RiskMap> {
  return fc
    .tuple(
      anyGraph({ nodes, links, directed: false }),
      fc.array(fc.array(fc.nat(99), { maxLength: 5 }), { maxLength: groups }),
      fc.array(fc.option(fc.nat(99), { freq: 3 }), { maxLength: groups }),
    )
    .map(([input, memberLists, nodeOf]) => {
      const graph = makeGraph(input);
      const own = (kind: 'link' | 'node', count: number): Risk[] =>
        Array.from({ length: count }, (_, i) => ({
          kind,
          name: `${kind} ${i}`,
          links: kind === 'link' ? [i] : [],
          nodes: kind === 'node' ? [i] : [],
          down: ((i % 4) + 1) / 64,
          lengthKm: 0,
        }));
      const shared = memberLists.map((members, i): Risk => {
        const node = nodeOf[i];
        return {
          kind: 'group',
          name: `group ${i}`,
          links: [...new Set(graph.links > 0 ? members.map((m) => m % graph.links) : [])],
          nodes: node == null ? [] : [node % graph.nodes],
          down: 1 / 32,
          lengthKm: 0,
        };
      });
      const risks = [...own('link', graph.links), ...own('node', graph.nodes), ...shared];
      const names = (word: string, count: number) => Array.from({ length: count }, (_, i) => `${word}${i}`);
      return makeRiskMap({ graph, risks, nodeNames: names('n', graph.nodes), linkNames: names('l', graph.links) });
    });
}
