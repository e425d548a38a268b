/** Who reaches whom: which parts there are, and what takes them down. The question is whether the source reaches any target. */
export interface Reach {
  nodes: number;
  source: number;
  targets: readonly number[];
  edges: readonly { a: number; b: number; risks: readonly number[] }[];
  risksOfNode: readonly (readonly number[])[];
  /** Share of time that each risk is down; risks are independent. */
  down: ArrayLike<number>;
}

/** A part that fails by itself with `own`, and together with others with each of `risks`. */
export interface Part {
  own: number;
  risks: number[];
}
export interface Edge extends Part {
  a: number;
  b: number;
}
export interface SmallReach {
  /** Of each node; where a node was reduced away, nothing refers to it. */
  nodes: Part[];
  edges: Edge[];
  source: number;
  targets: Set<number>;
}

/** Down when either of two independent parts is; exact for shares that are sums of few powers of two, unlike 1 − (1 − a)(1 − b). */
const either = (a: number, b: number) => a + b * (1 - a);

/**
 * The same question about fewer parts: risks of one part become its own, dead ends go, a chain becomes one edge, and so do parallel
 * edges that share all their risks. The probability stays exactly the same (Satyanarayana and Wood 1985).
 */
export function reduce({ nodes, source, targets, edges, risksOfNode, down }: Reach): SmallReach {
  const small: SmallReach = {
    nodes: Array.from({ length: nodes }, (_, v) => ({ own: 0, risks: [...(risksOfNode[v] ?? [])] })),
    edges: edges.filter(({ a, b }) => a !== b).map(({ a, b, risks }) => ({ a, b, own: 0, risks: [...risks] })),
    source,
    targets: new Set(targets),
  };
  for (let before = -1; before !== small.edges.length;) {
    before = small.edges.length;
    foldLonelyRisks(small, down);
    mergeParallel(small);
    joinChains(small);
  }
  foldLonelyRisks(small, down);
  return small;
}

/** What takes down one part only is that part's own business. */
function foldLonelyRisks({ nodes, edges }: SmallReach, down: ArrayLike<number>): void {
  const parts: Part[] = [...edges];
  for (const v of new Set(edges.flatMap(({ a, b }) => [a, b]))) parts.push(nodes[v]!);
  const uses = new Map<number, number>();
  for (const { risks } of parts) for (const r of risks) uses.set(r, (uses.get(r) ?? 0) + 1);
  for (const part of parts) {
    if (part.risks.every((r) => uses.get(r)! > 1 && down[r]! > 0)) continue;
    for (const r of part.risks) if (uses.get(r) === 1) part.own = either(part.own, down[r]!);
    part.risks = part.risks.filter((r) => uses.get(r)! > 1 && down[r]! > 0);
  }
}

function mergeParallel(small: SmallReach): void {
  const seen = new Map<string, Edge>();
  small.edges = small.edges.filter((edge) => {
    const key = `${Math.min(edge.a, edge.b)} ${Math.max(edge.a, edge.b)} ${[...edge.risks].sort((x, y) => x - y).join(' ')}`;
    const twin = seen.get(key);
    if (twin) twin.own *= edge.own;
    else seen.set(key, edge);
    return !twin;
  });
}

/** Takes out dead ends and nodes with two edges that are neither source nor target. */
function joinChains(small: SmallReach): void {
  const at: Set<Edge>[] = small.nodes.map(() => new Set());
  for (const edge of small.edges) for (const v of [edge.a, edge.b]) at[v]!.add(edge);
  const queue = small.nodes.map((_, v) => v);
  const drop = (edge: Edge) => {
    for (const v of [edge.a, edge.b]) {
      at[v]!.delete(edge);
      queue.push(v);
    }
  };
  for (let v = queue.pop(); v !== undefined; v = queue.pop()) {
    if (v === small.source || small.targets.has(v) || at[v]!.size > 2) continue;
    const [first, second] = at[v]!;
    if (first) drop(first);
    if (!first || !second) continue;
    drop(second);
    const [a, b] = [first.a === v ? first.b : first.a, second.a === v ? second.b : second.a];
    if (a === b) continue;
    const { own, risks } = small.nodes[v]!;
    const joined: Edge = {
      a,
      b,
      own: either(either(first.own, own), second.own),
      risks: [...new Set([...first.risks, ...risks, ...second.risks])],
    };
    for (const end of [a, b]) at[end]!.add(joined);
  }
  small.edges = [...new Set(at.flatMap((edges) => [...edges]))];
}
