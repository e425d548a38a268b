/**
 * Capacitated location: every client's demand is served, in parts where need be, by open sites within their capacities; the total is
 * what open sites and served demand cost.
 */
export interface Capacitated {
  readonly clients: number;
  readonly sites: number;
  /** Greater than 0. */
  readonly demand: Float64Array;
  readonly capacity: Float64Array;
  readonly siteCost: Float64Array;
  /** What it costs to serve all of a client's demand at a site, client after client; Infinity: not allowed. */
  readonly cost: Float64Array;
  readonly maxOpen: number;
  /** 1 for each site that is open in any case. */
  readonly mustOpen?: Uint8Array;
}

/** The cheapest way to serve everybody from some sites. */
export interface Flow {
  /** Without what the sites cost; Infinity where the capacities or the allowed ways do not suffice. */
  cost: number;
  /** Demand of each client that each site serves, client after client. */
  served: Float64Array;
}

export function siteCosts(p: Capacitated, open: ArrayLike<number>): number {
  let total = 0;
  for (let s = 0; s < p.sites; s++) if (open[s]) total += p.siteCost[s]!;
  return total;
}
