import fc from 'fast-check';
import { MilpBuilder } from '../milp/milp.ts';
import type { Solver } from '../milp/solver.ts';
import { type Demands, type Directions, makeTrafficNetwork, type TrafficNetwork } from './traffic.ts';

export interface Case {
  network: TrafficNetwork;
  demands: Demands;
}

/** Small networks with parallel links, loops, islands and dead ends; metrics are small, so that many paths are equally long. */
export function anyCase(directions: readonly Directions[] = ['one', 'each', 'shared']): fc.Arbitrary<Case> {
  return fc.integer({ min: 2, max: 7 }).chain((nodes) => {
    const node = fc.integer({ min: 0, max: nodes - 1 });
    const link = fc.record({
      from: node,
      to: node,
      capacity: fc.integer({ min: 1, max: 9 }),
      weight: fc.integer({ min: 1, max: 3 }),
    });
    const demand = fc.tuple(node, node, fc.integer({ min: 0, max: 9 }));
    return fc
      .record({
        links: fc.array(link, { minLength: 1, maxLength: 12 }),
        demands: fc.array(demand, { maxLength: 8 }),
        directions: fc.constantFrom(...directions),
      })
      .map(({ links, demands, directions }) => ({
        network: makeTrafficNetwork(nodes, links, directions),
        demands: columns(demands),
      }));
  });
}

export function columns(rows: readonly (readonly [from: number, to: number, volume: number])[]): Demands {
  return {
    from: Int32Array.from(rows, ([from]) => from),
    to: Int32Array.from(rows, ([, to]) => to),
    volume: Float64Array.from(rows, ([, , volume]) => volume),
  };
}

/** Can the second node be reached from the first? By trying, without any of the code that is tested. */
export function isReachable({ graph }: TrafficNetwork, from: number, to: number): boolean {
  const seen = new Set([from]);
  for (let grown = true; grown;) {
    grown = false;
    for (let a = 0; a < graph.links; a++) {
      if (!seen.has(graph.from[a]!) || seen.has(graph.to[a]!)) continue;
      seen.add(graph.to[a]!);
      grown = true;
    }
  }
  return seen.has(to);
}

/** The textbook program, one variable per demand and arc, no decomposition: what the quick way has to equal. */
export async function leastByArcs({ network, demands }: Case, solver: Solver): Promise<number> {
  const { graph, pool, capacity } = network;
  const builder = new MilpBuilder();
  const most = builder.variable({ cost: 1 });
  const inPool: number[][] = Array.from(capacity, () => []);
  for (let d = 0; d < demands.volume.length; d++) {
    const [from, to, volume] = [demands.from[d]!, demands.to[d]!, demands.volume[d]!];
    if (from === to || volume === 0 || !isReachable(network, from, to)) continue;
    const flow = Array.from({ length: graph.links }, (_, a) => {
      const variable = builder.variable();
      inPool[pool[a]!]!.push(variable);
      return variable;
    });
    for (let v = 0; v < graph.nodes; v++) {
      const ends = flow.flatMap((variable, a) => {
        const sign = Number(graph.to[a] === v) - Number(graph.from[a] === v);
        return sign === 0 ? [] : [{ variable, sign }];
      });
      const need = v === to ? volume : v === from ? -volume : 0;
      builder.row(
        need,
        need,
        ends.map((e) => e.variable),
        ends.map((e) => e.sign),
      );
    }
  }
  inPool.forEach((variables, p) =>
    builder.row(-Infinity, 0, [...variables, most], [...variables.map(() => 1), -capacity[p]!]),
  );
  const solution = await solver.solve(builder.build());
  if (solution.status !== 'optimal') throw new Error(`the twin ended ${solution.status}`);
  return solution.objective!;
}

/** All paths without circles. */
export function pathsOf({ graph }: TrafficNetwork, from: number, to: number): number[][] {
  const paths: number[][] = [];
  const walk = (at: number, arcs: number[], seen: Set<number>) => {
    if (at === to) return void paths.push(arcs);
    for (let a = 0; a < graph.links; a++) {
      if (graph.from[a] !== at || seen.has(graph.to[a]!)) continue;
      walk(graph.to[a]!, [...arcs, a], new Set([...seen, graph.to[a]!]));
    }
  };
  walk(from, [], new Set([from]));
  return paths;
}
