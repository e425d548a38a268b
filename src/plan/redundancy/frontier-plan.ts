import type { Edge, SmallReach } from './reduce.ts';

/** One step along the frontier. Slots below `Plan.slots` hold nodes, those from there on risks. */
export type Step =
  | { do: 'enter'; slot: number; role: 'source' | 'target' | 'other'; own: number; risks: RiskSlot[]; left: Left }
  | { do: 'edge'; a: number; b: number; own: number; risks: RiskSlot[] }
  | { do: 'leave'; slot: number; left: Left }
  | { do: 'forget'; slot: number };

/** Where the state of a risk stands, and the share of time that it is down. */
export interface RiskSlot {
  slot: number;
  down: number;
}

/** Who has yet to enter after a step. */
interface Left {
  source: boolean;
  targets: boolean;
}

export interface Plan {
  steps: Step[];
  slots: number;
  riskSlots: number;
}

/** In which order a network is walked, so that few nodes are open at a time; null where no target can be reached at all. */
export function planOf(small: SmallReach, down: ArrayLike<number>): Plan | null {
  const at = neighbours(small);
  const reached = reachedFrom(small.source, at);
  const targets = [...small.targets].filter((t) => reached.has(t));
  if (targets.length === 0) return null;
  const thinnest = [...reached].sort((a, b) => at[a]!.length - at[b]!.length).slice(0, 4);
  const starts = [...new Set([small.source, targets[0]!, ...thinnest])];
  let best: { order: number[]; cost: number } | null = null;
  for (const start of starts) {
    const order = greedyOrder(start, at);
    const cost = costOf(order, at);
    if (!best || cost < best.cost) best = { order, cost };
  }
  return stepsOf(best!.order, at, { ...small, targets: new Set(targets) }, down);
}

function neighbours({ nodes, edges }: SmallReach): Edge[][] {
  const at: Edge[][] = nodes.map(() => []);
  for (const edge of edges) {
    at[edge.a]!.push(edge);
    at[edge.b]!.push(edge);
  }
  return at;
}

const across = ({ a, b }: Edge, v: number) => (a === v ? b : a);

function reachedFrom(source: number, at: Edge[][]): Set<number> {
  const reached = new Set([source]);
  for (const v of reached) for (const edge of at[v]!) reached.add(across(edge, v));
  return reached;
}

/** Next always the node that leaves the fewest open; of equals the one that has waited longest. */
function greedyOrder(start: number, at: Edge[][]): number[] {
  const order: number[] = [];
  const isDone = new Set<number>();
  const waiting = new Set([start]);
  const unmet = (v: number) => at[v]!.reduce((n, edge) => n + (isDone.has(across(edge, v)) ? 0 : 1), 0);
  while (waiting.size > 0) {
    let [best, least] = [-1, Infinity];
    for (const v of waiting) {
      // Opens v itself unless all its neighbours are done, and closes those whose last neighbour it is.
      const mine = unmet(v);
      const closes = new Set(at[v]!.map((e) => across(e, v)).filter((w) => isDone.has(w) && unmet(w) === 1)).size;
      const growth = (mine > 0 ? 1 : 0) - closes + mine / 1000;
      if (growth < least) [best, least] = [v, growth];
    }
    waiting.delete(best);
    isDone.add(best);
    order.push(best);
    for (const edge of at[best]!) if (!isDone.has(across(edge, best))) waiting.add(across(edge, best));
  }
  return order;
}

/** Sum over the order of 3 to the width of the frontier: what the states may come to. */
function costOf(order: number[], at: Edge[][]): number {
  const rank = rankOf(order);
  const last = (v: number) => Math.max(rank.get(v)!, ...at[v]!.map((edge) => rank.get(across(edge, v))!));
  const closing: number[] = order.map(() => 0);
  for (const v of order) closing[last(v)]!++;
  let [open, cost] = [0, 0];
  for (const closed of closing) {
    open += 1;
    cost += 3 ** open;
    open -= closed;
  }
  return cost;
}

const rankOf = (order: readonly number[]) => new Map(order.map((v, i) => [v, i]));

/** Edges come with the later of their ends; nodes and risks stay from their first use to their last. */
function stepsOf(order: number[], at: Edge[][], small: SmallReach, down: ArrayLike<number>): Plan {
  const rank = rankOf(order);
  const edges = order.flatMap((v, i) => [...new Set(at[v])].filter((edge) => rank.get(across(edge, v))! < i));
  const bareSteps = bareStepsOf(edges, rank);
  const lastUse = new Map<number, number>();
  for (const [i, { part }] of bareSteps.entries()) for (const r of part(small).risks) lastUse.set(r, i);
  const nodeSlots = slotKeeper();
  const riskSlots = slotKeeper();
  const steps: Step[] = [];
  const targetsLeft = new Set(small.targets);
  let sourceLeft = true;
  for (const [i, bare] of bareSteps.entries()) {
    const { own, risks } = bare.part(small);
    const slotsOfRisks = risks.map((r) => ({ slot: riskSlots.take(r), down: down[r]! }));
    if (bare.enter !== undefined) {
      const v = bare.enter;
      targetsLeft.delete(v);
      if (v === small.source) sourceLeft = false;
      const role = v === small.source ? 'source' : small.targets.has(v) ? 'target' : 'other';
      const left = { source: sourceLeft, targets: targetsLeft.size > 0 };
      steps.push({ do: 'enter', slot: nodeSlots.take(v), role, own, risks: slotsOfRisks, left });
    } else if (bare.edge) {
      const [a, b] = [nodeSlots.take(bare.edge.a), nodeSlots.take(bare.edge.b)];
      steps.push({ do: 'edge', a, b, own, risks: slotsOfRisks });
    } else {
      const left = { source: sourceLeft, targets: targetsLeft.size > 0 };
      steps.push({ do: 'leave', slot: nodeSlots.release(bare.leave!), left });
    }
    for (const r of risks)
      if (lastUse.get(r) === i) {
        steps.push({ do: 'forget', slot: riskSlots.release(r) });
      }
  }
  return { steps: shifted(steps, nodeSlots.most()), slots: nodeSlots.most(), riskSlots: riskSlots.most() };
}

interface BareStep {
  enter?: number;
  edge?: Edge;
  leave?: number;
  part(small: SmallReach): { own: number; risks: readonly number[] };
}

const nothing = { own: 0, risks: [] };

function bareStepsOf(edges: Edge[], rank: Map<number, number>): BareStep[] {
  const lastEdge = new Map<number, Edge>();
  for (const edge of edges) for (const v of [edge.a, edge.b]) lastEdge.set(v, edge);
  const entered = new Set<number>();
  const steps: BareStep[] = [];
  const enter = (v: number) => {
    if (entered.has(v)) return;
    entered.add(v);
    steps.push({ enter: v, part: (small) => small.nodes[v]! });
  };
  for (const edge of edges) {
    const ends = [edge.a, edge.b].sort((v, w) => rank.get(v)! - rank.get(w)!);
    for (const v of ends) enter(v);
    steps.push({ edge, part: () => edge });
    for (const v of ends) if (lastEdge.get(v) === edge) steps.push({ leave: v, part: () => nothing });
  }
  return steps;
}

/** Risk slots stand behind the node slots, whose number is known only at the end. */
function shifted(steps: Step[], by: number): Step[] {
  const moved = (risks: RiskSlot[]) => risks.map(({ slot, down }) => ({ slot: slot + by, down }));
  return steps.map((step) => {
    if (step.do === 'forget') return { ...step, slot: step.slot + by };
    return step.do === 'leave' ? step : { ...step, risks: moved(step.risks) };
  });
}

/** Numbers that are used again once they are free. */
function slotKeeper() {
  const slotOf = new Map<number, number>();
  const free: number[] = [];
  let most = 0;
  return {
    take(key: number): number {
      const slot = slotOf.get(key) ?? free.pop() ?? most++;
      slotOf.set(key, slot);
      return slot;
    },
    release(key: number): number {
      const slot = slotOf.get(key)!;
      slotOf.delete(key);
      free.push(slot);
      return slot;
    },
    most: () => most,
  };
}
