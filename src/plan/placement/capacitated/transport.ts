import type { Capacitated, Flow } from './problem.ts';

interface State extends Flow {
  p: Capacitated;
  open: Int32Array;
  room: Float64Array;
  /** Shortest way so far to each open site: its length, and the site (-1: the client itself) and client that it came by. */
  length: Float64Array;
  from: Int32Array;
  moved: Int32Array;
}

/**
 * The transportation problem by successive shortest paths (Busacker and Gowen 1960): client after client, each part of its demand
 * takes the cheapest way to a site with room, where a full site may pass on others' demand. Every step leaves the cheapest flow for
 * the demand so far, so the last one is the cheapest for all.
 */
export function transport(p: Capacitated, isOpen: ArrayLike<number>): Flow {
  const open = Int32Array.from(Array.from({ length: p.sites }, (_, s) => s).filter((s) => isOpen[s]));
  const state: State = {
    p,
    open,
    cost: 0,
    served: new Float64Array(p.clients * p.sites),
    room: p.capacity.slice(),
    length: new Float64Array(p.sites),
    from: new Int32Array(p.sites),
    moved: new Int32Array(p.sites),
  };
  const least = 1e-9 * Math.max(1, ...p.demand);
  for (let c = 0; c < p.clients; c++) {
    let left = p.demand[c]!;
    while (left > least) {
      const end = nearestWithRoom(state, c, least);
      if (end < 0) return { cost: Infinity, served: state.served };
      left -= push(state, c, end, left);
    }
  }
  for (let c = 0; c < p.clients; c++)
    for (const s of open) {
      const part = state.served[c * p.sites + s]!;
      if (part > 0) state.cost += (p.cost[c * p.sites + s]! * part) / p.demand[c]!;
    }
  return { cost: state.cost, served: state.served };
}

/** The site with room that is cheapest to reach for this client; -1 where none can be reached. */
function nearestWithRoom(state: State, client: number, least: number): number {
  const { p, open, room, length, from } = state;
  let nearest = -1;
  for (const s of open) {
    length[s] = p.cost[client * p.sites + s]! / p.demand[client]!;
    from[s] = -1;
    if (nearest < 0 || length[s] < length[nearest]!) nearest = s;
  }
  if (nearest < 0 || length[nearest] === Infinity) return -1;
  // Where the cheapest site has room nothing is cheaper: passing on is never a gain in a cheapest flow.
  if (room[nearest]! > least) return nearest;
  passOn(state, least);
  let best = -1;
  for (const s of open) if (room[s]! > least && length[s]! < (best < 0 ? Infinity : length[best]!)) best = s;
  return best;
}

/** Bellman and Ford over the sites; from a to b lead the clients of a, for what b costs them more. */
function passOn({ p, open, length, from, moved, served }: State, least: number): void {
  const { sites, cost, demand } = p;
  const step = new Float64Array(sites * sites).fill(Infinity);
  const by = new Int32Array(sites * sites);
  for (let c = 0; c < p.clients; c++)
    for (const a of open) {
      if (served[c * sites + a]! <= least) continue;
      for (const b of open) {
        const more = (cost[c * sites + b]! - cost[c * sites + a]!) / demand[c]!;
        if (more < step[a * sites + b]!) [step[a * sites + b], by[a * sites + b]] = [more, c];
      }
    }
  for (let round = 0, hasChanged = true; hasChanged && round < open.length; round++) {
    hasChanged = false;
    for (const a of open)
      for (const b of open) {
        const next = length[a]! + step[a * sites + b]!;
        if (a === b || !(next < length[b]! - 1e-12 * (1 + Math.abs(next)))) continue;
        [length[b], from[b], moved[b], hasChanged] = [next, a, by[a * sites + b]!, true];
      }
  }
}

/** Sends as much as the way to `end` takes; returns how much. */
function push({ p, room, from, moved, served }: State, client: number, end: number, wanted: number): number {
  let amount = Math.min(wanted, room[end]!);
  for (let s = end; from[s]! >= 0; s = from[s]!) amount = Math.min(amount, served[moved[s]! * p.sites + from[s]!]!);
  room[end]! -= amount;
  let s = end;
  for (; from[s]! >= 0; s = from[s]!) {
    served[moved[s]! * p.sites + from[s]!]! -= amount;
    served[moved[s]! * p.sites + s]! += amount;
  }
  served[client * p.sites + s]! += amount;
  return amount;
}
