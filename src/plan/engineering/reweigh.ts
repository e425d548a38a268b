import { makeGraph } from '../../stats/graph/graph.ts';
import { ecmpRouter } from './ecmp.ts';
import { type Demands, demandRows, type TrafficNetwork } from './traffic.ts';

/** Traffic to one destination. */
interface Column {
  to: number;
  volumeFrom: Float64Array;
  /** Of each node to the destination, by the weights of today. */
  distance: Float64Array;
  arcLoad: Float64Array;
}

/** Shortest-path routing whose weights can be changed: only the destinations that a change touches are routed again. */
export interface Reweighing {
  /** Own copy: its lengths are the weights. */
  network: TrafficNetwork;
  columns: Column[];
  /** Of all destinations together. */
  arcLoad: Float64Array;
  /** Gives the arcs a weight, and settles all routing. Returns what takes it back, as long as nothing else was changed since. */
  change(arcs: readonly number[], weight: number): () => void;
}

/** Same lengths as the router takes them for: see `ecmp.ts`. */
const sameShare = 1e-9;

export function startReweighing(network: TrafficNetwork, demands: Demands, weights: ArrayLike<number>): Reweighing {
  const { nodes, from, to } = network.graph;
  const own = { ...network, graph: makeGraph({ nodes, from, to, length: weights, directed: true }) };
  const router = ecmpRouter(own);
  const arcLoad = new Float64Array(own.graph.links);
  const rows = demandRows(nodes, { ...demands, from: demands.to, to: demands.from });
  const columns = Array.from(rows, ([destination, volumeFrom]): Column => {
    const column = {
      to: destination,
      volumeFrom,
      distance: new Float64Array(nodes),
      arcLoad: new Float64Array(arcLoad.length),
    };
    route(column);
    return column;
  });
  for (const column of columns) add(arcLoad, column.arcLoad, 1);

  function route(column: Column): void {
    router.spread(column.to, column.volumeFrom, {}, column.arcLoad);
    column.distance.set(router.distance);
  }

  /** Whether some shortest path of the column changes when the arc goes from one weight to another. */
  function isTouched({ distance }: Column, arc: number, before: number, after: number): boolean {
    const [near, far] = [distance[to[arc]!]!, distance[from[arc]!]!];
    if (near === Infinity) return false;
    // An arc on a shortest path matters whichever way it changes; another one only where it would become one.
    return near + Math.min(before, after) <= far * (1 + sameShare);
  }

  return {
    network: own,
    columns,
    arcLoad,
    change: (arcs, weight) => {
      const before = arcs.map((arc) => own.graph.length[arc]!);
      const touched = columns.filter((column) => arcs.some((arc, i) => isTouched(column, arc, before[i]!, weight)));
      const kept = touched.map((column) => ({ arcLoad: column.arcLoad, distance: column.distance }));
      const whole = arcLoad.slice();
      for (const arc of arcs) router.reweigh(arc, weight);
      for (const column of touched) {
        add(arcLoad, column.arcLoad, -1);
        column.arcLoad = new Float64Array(arcLoad.length);
        column.distance = new Float64Array(nodes);
        route(column);
        add(arcLoad, column.arcLoad, 1);
      }
      return () => {
        arcs.forEach((arc, i) => router.reweigh(arc, before[i]!));
        touched.forEach((column, i) => Object.assign(column, kept[i]));
        // The sum as it was, to the last bit: what is added and taken away again leaves rounding behind.
        arcLoad.set(whole);
      };
    },
  };
}

function add(sum: Float64Array, loads: Float64Array, sign: number): void {
  for (let arc = 0; arc < sum.length; arc++) sum[arc]! += sign * loads[arc]!;
}
