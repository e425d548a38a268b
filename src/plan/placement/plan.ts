import { placeCapacitated } from './capacitated/search.ts';
import { transport } from './capacitated/transport.ts';
import { makePlacement } from './problem.ts';
import { opened, reduce } from './reduce.ts';
import { placeSites } from './search.ts';

/** Users and sites as numbers: what a plan of sites is made from. */
export interface PlanInput {
  /** Users at each place; greater than 0. */
  users: Float64Array;
  sites: number;
  /** Round trip of each place of users to each site, place after place; Infinity: not known. */
  rttMs: Float64Array;
  isOpen: Uint8Array;
  /** Open sites that may not close. */
  mustStay: Uint8Array;
  /** Users that a site can serve; Infinity: all. */
  capacityUsers: Float64Array;
  monthly: Float64Array;
  monthlyPerUser: Float64Array;
  targetMs: number;
  /** Share of users that is to be inside the target. */
  coverage: number;
  /** Most sites of the trade-off. */
  maxSites: number;
}

/** What a set of open sites means for the users. */
export interface Metrics {
  meanMs: number;
  p95Ms: number;
  worstMs: number;
  /** Share of users inside the target. */
  coverage: number;
  monthly: number;
  /** Users of each place that each site serves, place after place. */
  served: Float64Array;
}

/** The best that is known for a number of sites. */
export interface PlanRow {
  sites: number;
  open: Uint8Array;
  metrics: Metrics;
  /** No choice of so many sites has a lower mean. */
  meanLowerBoundMs: number;
  /** No choice of so many sites covers more. */
  coverageUpperBound: number;
  /** The most that a found choice covers; the row is the choice of the lowest mean and may cover less. */
  bestCoverage: number;
  /** That choice. */
  bestCoverageOpen: Uint8Array;
}

export interface PlanStanding {
  /** What is open today; null where nothing is, or it cannot serve everybody. */
  now: Metrics | null;
  curve: PlanRow[];
  /** Fewest sites that reach the coverage; null where none of the looked at numbers is known to. */
  fewest: number | null;
  /** Fewer than this cannot reach it: proven. Above `maxSites` where no number up to that can. */
  fewestLowerBound: number;
  /** The choice to make: fewest sites that reach the coverage and, of those, the lowest mean that was found. */
  answer: PlanRow | null;
}

/** Searches of one number of sites end here at the latest; their gap then says so. */
const mostNodes = 3000;

/**
 * Works out the trade-off from one site (or those that must stay) to `maxSites`: the lowest mean, the greatest coverage, each with its
 * bound; then the fewest sites that reach the coverage. Yields what it knows.
 */
export function* planSites(input: PlanInput): Generator<PlanStanding, PlanStanding> {
  const least = Math.max(1, count(input.mustStay));
  const most = Math.max(least, Math.min(input.maxSites, input.sites));
  const standing: PlanStanding = {
    now: count(input.isOpen) > 0 ? measure(input, input.isOpen) : null,
    curve: [],
    fewest: null,
    fewestLowerBound: least,
    answer: null,
  };
  yield { ...standing };
  let hint: number[] = [];
  for (let sites = least; sites <= most; sites++) {
    const row = yield* bestRow(input, sites, hint, standing);
    if (!row) {
      standing.fewestLowerBound = standing.fewest === null ? sites + 1 : standing.fewestLowerBound;
      continue;
    }
    hint = indices(row.open);
    standing.curve = [...standing.curve, row];
    if (standing.fewest === null) {
      if (row.coverageUpperBound < input.coverage - 1e-9) standing.fewestLowerBound = sites + 1;
      if (row.bestCoverage >= input.coverage - 1e-9) {
        standing.fewest = sites;
        standing.answer = yield* bestInside(input, row, standing);
      }
    }
    yield { ...standing };
  }
  const last = standing.curve.at(-1);
  if (!standing.answer && last) standing.answer = yield* bestInside(input, last, standing);
  return { ...standing };
}

/** Lowest mean and greatest coverage of so many sites; null where their capacities do not suffice. */
function* bestRow(
  input: PlanInput,
  sites: number,
  hint: number[],
  standing: PlanStanding,
): Generator<PlanStanding, PlanRow | null> {
  const { users, rttMs } = input;
  const total = sum(users);
  const far = 2 * rttMs.reduce((most, ms) => (ms < Infinity ? Math.max(most, ms) : most), 1);
  const mean = yield* solve(input, (c, at) => users[c]! * Math.min(rttMs[at]!, far), sites, hint, standing);
  const outside = yield* solve(input, (c, at) => (rttMs[at]! <= input.targetMs ? 0 : users[c]!), sites, hint, standing);
  const metrics = mean && measure(input, mean.open, 'mean');
  if (!mean || !metrics || !outside) return null;
  return {
    sites,
    open: mean.open,
    metrics,
    meanLowerBoundMs: Math.min(metrics.meanMs, mean.lowerBound / total),
    coverageUpperBound: 1 - outside.lowerBound / total,
    bestCoverage: Math.max(metrics.coverage, 1 - outside.total / total),
    bestCoverageOpen: metrics.coverage > 1 - outside.total / total ? mean.open : outside.open,
  };
}

/**
 * Of the choices of that many sites that cover as much as is wanted, one of a low mean: whoever is outside the target counts as many
 * times as far. Where that gives up coverage after all, the price of being outside is raised until it does not.
 */
function* bestInside(input: PlanInput, row: PlanRow, standing: PlanStanding): Generator<PlanStanding, PlanRow> {
  const { users, rttMs, targetMs } = input;
  const wanted = Math.min(input.coverage, row.bestCoverage) - 1e-9;
  if (row.metrics.coverage >= wanted) return row;
  // The same sites, each filled so that as many as possible are inside, may be enough.
  const refilled = measure(input, row.open);
  if (refilled && refilled.coverage >= wanted) return { ...row, metrics: refilled };
  for (let price = 10; price <= 1e6; price *= 10) {
    const cost = (c: number, at: number) =>
      users[c]! * (Math.min(rttMs[at]!, 1e4) + (rttMs[at]! <= targetMs ? 0 : price * targetMs));
    const found = yield* solve(input, cost, row.sites, indices(row.open), standing);
    const metrics = found && measure(input, found.open);
    if (metrics && metrics.coverage >= wanted) return { ...row, open: found.open, metrics };
  }
  const most = measure(input, row.bestCoverageOpen);
  return most ? { ...row, open: row.bestCoverageOpen, metrics: most } : row;
}

interface Solved {
  open: Uint8Array;
  total: number;
  lowerBound: number;
}

/** The least total of a cost by so many sites, with capacities where there are some. Null: they cannot serve everybody. */
function* solve(
  input: PlanInput,
  cost: (client: number, at: number) => number,
  maxOpen: number,
  hint: number[],
  standing: PlanStanding,
): Generator<PlanStanding, Solved | null> {
  const { sites, mustStay } = input;
  const clients = input.users.length;
  const costs = Float64Array.from({ length: clients * sites }, (_, at) => cost(Math.floor(at / sites), at));
  const search = isCapacitated(input)
    ? placeCapacitated(capacitated(input, costs, maxOpen))
    : inWhole(makePlacement({ clients, sites, cost: costs, maxOpen }), mustStay, hint);
  for (;;) {
    const { value, done } = search.next();
    if (done || value.nodes > mostNodes) return value.total < Infinity ? value : null;
    yield { ...standing };
  }
}

/** The search with the sites that must stay settled before, told in numbers of the whole. */
function* inWhole(
  p: ReturnType<typeof makePlacement>,
  mustStay: Uint8Array,
  hint: number[],
): Generator<Solved & { nodes: number }, Solved & { nodes: number }> {
  const state = mustStay.map((one) => (one ? opened : 0));
  const { problem, siteOf } = reduce(p, state);
  const numberOf = new Map([...siteOf].map((site, at) => [site, at]));
  const search = placeSites(problem, { hint: hint.flatMap((site) => numberOf.get(site) ?? []) });
  for (;;) {
    const { value, done } = search.next();
    const open = mustStay.slice();
    for (const [at, site] of siteOf.entries()) if (value.open[at]) open[site] = 1;
    // Where all sites are alike to everybody none is opened: being served is never dearer than not.
    if (!open.includes(1)) open[0] = 1;
    const one = { open, total: value.total, lowerBound: value.lowerBound, nodes: value.nodes };
    if (done) return one;
    yield one;
  }
}

function isCapacitated({ capacityUsers, users }: PlanInput): boolean {
  const all = sum(users);
  return capacityUsers.some((most) => most < all);
}

function capacitated({ users, sites, capacityUsers, mustStay }: PlanInput, cost: Float64Array, maxOpen: number) {
  const all = sum(users);
  const capacity = capacityUsers.map((most) => Math.min(most, all));
  return {
    clients: users.length,
    sites,
    demand: users,
    capacity,
    siteCost: new Float64Array(sites),
    cost,
    maxOpen,
    mustOpen: mustStay,
  };
}

/**
 * What open sites mean for the users, each at the nearest; null where capacities do not suffice. Where they are short, as many as possible are
 * brought inside the target and, of all ways to do so, the one with the lowest mean is taken; or the lowest mean alone.
 */
export function measure(input: PlanInput, open: Uint8Array, first: 'coverage' | 'mean' = 'coverage'): Metrics | null {
  const { users, sites, rttMs, monthly, monthlyPerUser } = input;
  const served = isCapacitated(input) ? byCapacity(input, open, first) : byNearness(input, open);
  if (!served) return null;
  const parts: { ms: number; users: number }[] = [];
  let cost = 0;
  for (let s = 0; s < sites; s++) if (open[s]) cost += monthly[s]!;
  for (let at = 0; at < served.length; at++) {
    if (served[at]! <= 0) continue;
    parts.push({ ms: rttMs[at]!, users: served[at]! });
    cost += monthlyPerUser[at % sites]! * served[at]!;
  }
  parts.sort((a, b) => a.ms - b.ms);
  const total = sum(users);
  const inside = parts.reduce((all, part) => (part.ms <= input.targetMs ? all + part.users : all), 0);
  return {
    meanMs: parts.reduce((all, { ms, users }) => all + ms * users, 0) / total,
    p95Ms: shareAt(parts, 0.95 * total),
    worstMs: parts.at(-1)?.ms ?? 0,
    coverage: Math.min(1, inside / total),
    monthly: cost,
    served,
  };
}

function byNearness({ users, sites, rttMs }: PlanInput, open: Uint8Array): Float64Array | null {
  const served = new Float64Array(users.length * sites);
  for (let c = 0; c < users.length; c++) {
    let nearest = -1;
    for (let s = 0; s < sites; s++)
      if (open[s] && (nearest < 0 || rttMs[c * sites + s]! < rttMs[c * sites + nearest]!)) nearest = s;
    if (nearest < 0) return null;
    served[c * sites + nearest] = users[c]!;
  }
  return served;
}

function byCapacity(input: PlanInput, open: Uint8Array, first: 'coverage' | 'mean'): Float64Array | null {
  const { users, sites, rttMs, targetMs } = input;
  const far = 2 * rttMs.reduce((most, ms) => (ms < Infinity ? Math.max(most, ms) : most), 1);
  // One user more inside is worth more than all that others lose by it: no chain of moves is longer than there are places and sites.
  const outside = first === 'coverage' ? far * (users.length + sites + 1) : 0;
  const cost = rttMs.map(
    (ms, at) => users[Math.floor(at / sites)]! * (Math.min(ms, far) + (ms <= targetMs ? 0 : outside)),
  );
  const flow = transport(capacitated(input, cost, input.sites), open);
  return flow.cost < Infinity ? flow.served : null;
}

/** The round trip that this many users stay below. */
function shareAt(parts: readonly { ms: number; users: number }[], wanted: number): number {
  let seen = 0;
  for (const { ms, users } of parts) {
    seen += users;
    if (seen >= wanted - 1e-9) return ms;
  }
  return parts.at(-1)?.ms ?? 0;
}

const sum = (list: Float64Array): number => list.reduce((all, one) => all + one, 0);
const count = (flags: Uint8Array): number => flags.reduce((all, one) => all + one, 0);
const indices = (flags: Uint8Array): number[] => [...flags.keys()].filter((at) => flags[at]);
