/** A lightpath that needs neighbouring slots on all its links. */
export interface SlotDemand {
  /** Numbers of its links. */
  links: readonly number[];
  slots: number;
}

/** Where each demand begins, which is the same on all its links. */
export interface SlotPlan {
  start: Int32Array;
  /** Slots from the first to the last one in use. */
  used: number;
  /** No plan can do with fewer. */
  lowerBound: number;
}

/** With so few demands all orders are tried, which finds the least. */
const ALL_ORDERS_UP_TO = 7;

/**
 * Slots so that no two lightpaths on one link overlap, and the last slot in use is as low as possible. Given an order, each demand takes the lowest place
 * that is free on all its links (first fit); some order leads to the least, so orders are what is searched: all of them while there are few, else
 * wide and long demands first, most loaded links first, and then by exchanging two until the bound is met or `tries` are over.
 */
export function assignSlots(demands: readonly SlotDemand[], random: () => number, tries = 2000): SlotPlan {
  const lowerBound = slotBound(demands);
  const conflicts = conflictLists(demands);
  const place = (order: readonly number[]) => firstFit(demands, conflicts, order);
  let best = place(startOrder(demands));
  let bestOrder = startOrder(demands);
  const consider = (order: readonly number[]): boolean => {
    const found = place(order);
    if (found.used > best.used) return false;
    [best, bestOrder] = [found, [...order]];
    return true;
  };
  consider([...demands.keys()].sort((a, b) => demands[b]!.slots - demands[a]!.slots || a - b));
  if (demands.length <= ALL_ORDERS_UP_TO)
    forEachOrder(demands.length, (order) => best.used > lowerBound && void consider(order));
  else
    for (let k = 0; k < tries && best.used > lowerBound; k++) {
      const order = [...bestOrder];
      const a = Math.floor(random() * order.length);
      const b = Math.floor(random() * order.length);
      [order[a], order[b]] = [order[b]!, order[a]!];
      consider(order);
    }
  return { ...best, lowerBound };
}

/** Most loaded links first, then the wide and the long. */
function startOrder(demands: readonly SlotDemand[]): number[] {
  const load = linkLoads(demands);
  const busiest = demands.map(({ links }) => links.reduce((most, link) => Math.max(most, load.get(link) ?? 0), 0));
  return [...demands.keys()].sort(
    (a, b) =>
      busiest[b]! - busiest[a]! ||
      demands[b]!.slots - demands[a]!.slots ||
      demands[b]!.links.length - demands[a]!.links.length ||
      a - b,
  );
}

function linkLoads(demands: readonly SlotDemand[]): Map<number, number> {
  const load = new Map<number, number>();
  for (const { links, slots } of demands)
    for (const link of new Set(links)) load.set(link, (load.get(link) ?? 0) + slots);
  return load;
}

/** For each demand those that share a link with it. */
function conflictLists(demands: readonly SlotDemand[]): number[][] {
  const sets = demands.map(({ links }) => new Set(links));
  return demands.map(({ links }, i) =>
    [...demands.keys()].filter((j) => j !== i && links.some((link) => sets[j]!.has(link))),
  );
}

function firstFit(
  demands: readonly SlotDemand[],
  conflicts: readonly (readonly number[])[],
  order: readonly number[],
): { start: Int32Array; used: number } {
  const start = new Int32Array(demands.length).fill(-1);
  let used = 0;
  for (const i of order) {
    const taken = conflicts[i]!.filter((j) => start[j]! >= 0).sort((a, b) => start[a]! - start[b]!);
    let at = 0;
    for (const j of taken) {
      if (start[j]! >= at + demands[i]!.slots) break;
      at = Math.max(at, start[j]! + demands[j]!.slots);
    }
    start[i] = at;
    used = Math.max(used, at + demands[i]!.slots);
  }
  return { start, used };
}

/**
 * Demands of which every two share a link must all lie side by side: such a clique of the clash graph is a bound. The demands of one link are one;
 * from each demand a further one is grown by taking the widest that fits.
 */
function slotBound(demands: readonly SlotDemand[]): number {
  let bound = 0;
  for (const load of linkLoads(demands).values()) bound = Math.max(bound, load);
  const conflicts = conflictLists(demands).map((list) => new Set(list));
  for (const [i, own] of conflicts.entries()) {
    let weight = demands[i]!.slots;
    let candidates = [...own].sort((a, b) => demands[b]!.slots - demands[a]!.slots);
    while (candidates.length > 0) {
      const next = candidates[0]!;
      weight += demands[next]!.slots;
      candidates = candidates.filter((j) => conflicts[next]!.has(j));
    }
    bound = Math.max(bound, weight);
  }
  return bound;
}

/** All orders of 0 … n − 1 (Heap 1963). */
function forEachOrder(n: number, visit: (order: readonly number[]) => void): void {
  const order = Array.from({ length: n }, (_, i) => i);
  const walk = (k: number) => {
    if (k <= 1) {
      visit(order);
      return;
    }
    for (let i = 0; i < k; i++) {
      walk(k - 1);
      const other = k % 2 === 0 ? i : 0;
      [order[other], order[k - 1]] = [order[k - 1]!, order[other]!];
    }
  };
  walk(n);
}
