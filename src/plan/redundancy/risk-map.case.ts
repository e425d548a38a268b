import fc from 'fast-check';
import { anyGraph } from '../../stats/graph/graph.case.ts';
import { type GraphInput, makeGraph } from '../../stats/graph/graph.ts';
import { makeRiskMap, type Risk, type RiskMap } from './risk-map.ts';

/** Links that join all nodes, and a few more: as sparse as networks are. */
export function sparseLinks(nodes: number, { more = 6 } = {}): fc.Arbitrary<[number, number][]> {
  const tree = fc.tuple(...Array.from({ length: nodes - 1 }, (_, i) => fc.nat(i)));
  const rest = fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1)), { minLength: 3, maxLength: more });
  return fc
    .tuple(tree, rest)
    .map(([parents, extra]) => [...parents.map((parent, i): [number, number] => [parent, i + 1]), ...extra]);
}

/** Exactly ten nodes, all joined, each link and node a risk of its own, and some groups: at most 30 risks. */
export function sparseRiskMap({ nodes = 10, groups = 5 } = {}): fc.Arbitrary<RiskMap> {
  return sparseLinks(nodes)
    .chain((links) =>
      fc.array(fc.nat(9), { minLength: links.length, maxLength: links.length }).map((length) => ({
        nodes,
        from: links.map(([a]) => a),
        to: links.map(([, b]) => b),
        length,
        directed: false,
      })),
    )
    .chain((input) => riskMapOn(fc.constant(input), groups));
}

/** Any small map: each link and node a risk of its own, and some groups of links and nodes. */
export function anyRiskMap({ nodes = 8, links = 14, groups = 5 } = {}): fc.Arbitrary<RiskMap> {
  return riskMapOn(anyGraph({ nodes, links, directed: false }), groups);
}

function riskMapOn(graphs: fc.Arbitrary<GraphInput>, groups: number): fc.Arbitrary<RiskMap> {
  return fc
    .tuple(
      graphs,
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
