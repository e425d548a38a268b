import { setImmediate } from 'node:timers/promises';
import type { DirectionLoad, EngineeringReport, FailureLoad } from '../../model/plan/engineering.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import type { Solver } from '../milp/solver.ts';
import { baseLoads, type CaseLoads, demandsIn, type FailureCase, goneIn, loadsIn } from './cases.ts';
import { type LeastUtilisation, minimiseMaxUtilisation } from './minimise.ts';
import { type Demands, maxUtilisation, poolUtilisation, type TrafficNetwork } from './traffic.ts';
import { upgradeSteps } from './upgrades.ts';
import { optimiseWeights } from './weights.ts';
import { yearsUntil } from './years.ts';

/** A network with its traffic and what is to be looked at. */
export interface EngineeringInput {
  network: TrafficNetwork;
  demands: Demands;
  nodeNames: readonly string[];
  /** Of each arc: the name of its link in the file. */
  arcNames: readonly string[];
  /** Of each link: the name that reports use. */
  linkNames: readonly string[];
  /** 1 for links that have room for everything: their capacity is unknown, or they join a device to its site. They are not judged. */
  isUnlimited?: Uint8Array;
  /** Each direction of a link has a weight of its own; default: both have one. */
  isPerDirection?: boolean;
  failures: readonly FailureCase[];
  limit: number;
  growthPerYear: number;
  years: number;
}

export interface AnalyseOptions {
  solver: Solver;
  signal: AbortSignal;
  /** Also the best routing after every failure; default: where that is quick. */
  bestAfterFailures?: boolean | undefined;
  /** Also look for link weights that keep the largest utilisation low. */
  optimiseWeights?: boolean | undefined;
  /** Weights that are tried; default by the size of the network. */
  weightTries?: number | undefined;
  onProgress(text: string): void;
}

type Analysis = Omit<
  EngineeringReport,
  'schema' | 'source' | 'capacities' | 'modules' | 'notes' | 'findings' | 'changes'
>;

/** Sources × arcs × failures up to which the best routing after every failure is a matter of seconds. */
const quickFailures = 2_000_000;

/** Everything about one network. Stopped, it gives what it has: loads as given are always there, failures as far as it came. */
export async function analyse(input: EngineeringInput, options: AnalyseOptions): Promise<Analysis> {
  const { network, demands, limit, growthPerYear } = input;
  const { solver, signal, onProgress } = options;
  const base = baseLoads(network, demands);
  const given = loadsIn(base, { links: [], nodes: [] });
  const shares = poolUtilisation(network, given.arcLoad);
  const best = await minimiseMaxUtilisation(network, demands, {
    solver,
    signal,
    onProgress: (max, bound) => onProgress(`best routing between ${bound.toFixed(4)} and ${max.toFixed(4)}`),
  });
  const isClosed = best.maxUtilisation <= best.lowerBound * (1 + 1e-6);
  const failed = await afterFailures(input, base, options);
  const weights = options.optimiseWeights === true && !signal.aborted ? await otherWeights(input, best, options) : null;
  const steps = await upgradeSteps(network, demands, best, {
    solver,
    signal,
    limit,
    maxSteps: 5,
    maxTried: 3,
    onProgress: (tried) => onProgress(`upgrades: ${tried} tried`),
  });
  const most = largest(shares);
  const worst = failed.length > 0 ? Math.max(most, ...failed.map(({ report }) => report.maxUtilisation)) : null;
  const factor = (utilisation: number) => (utilisation > 0 ? limit / utilisation : null);
  const worstOf = worstByPool(shares, failed);
  return {
    limit,
    growthPerYear,
    maxUtilisation: best.maxUtilisation,
    lowerBound: best.lowerBound,
    gap: best.lowerBound > 0 ? best.maxUtilisation / best.lowerBound - 1 : 0,
    headroom: factor(best.maxUtilisation),
    unroutedVolume: given.unroutedVolume,
    shortestPath: {
      maxUtilisation: most,
      headroom: factor(most),
      headroomAfterFailure: worst === null ? null : factor(worst),
    },
    interrupted: signal.aborted && (!isClosed || failed.length < input.failures.length),
    weights,
    links: directions(input, given, shares, best, worstOf),
    failures: failed.map(({ report }) => report),
    years: byYear(input, shares, worstOf, best.maxUtilisation),
    upgrades: {
      given: wideningsAsGiven(input, shares, worstOf),
      best: steps.map(({ link, ...step }) => ({ link: input.linkNames[link]!, ...step })),
    },
  };
}

/** Weights that were found, and what they do normally and after failures. */
async function otherWeights(
  input: EngineeringInput,
  { lowerBound, worth }: LeastUtilisation,
  { signal, onProgress, weightTries }: AnalyseOptions,
): Promise<Analysis['weights']> {
  const { network, demands, failures, isPerDirection = false, nodeNames, arcNames } = input;
  const { graph } = network;
  const found = await optimiseWeights(network, demands, {
    isPerDirection,
    lowerBound,
    worth,
    signal,
    tries: weightTries,
    onProgress: (most, tries) => onProgress(`link weights: ${tries} tried, largest utilisation ${most.toFixed(4)}`),
  });
  const { nodes, from, to } = graph;
  const reweighed = { ...network, graph: makeGraph({ nodes, from, to, length: found.weights, directed: true }) };
  const base = baseLoads(reweighed, demands);
  const after = failures.map((failure) => maxUtilisation(reweighed, loadsIn(base, failure).arcLoad));
  const changed = Array.from(graph.length.keys()).filter((arc) => graph.length[arc] !== found.weights[arc]);
  // Both directions of a link are told once where they have one weight.
  const told = isPerDirection
    ? changed
    : changed.filter((arc) => changed.find((a) => network.link[a] === network.link[arc]) === arc);
  return {
    start: found.start,
    maxUtilisation: found.maxUtilisation,
    worstAfterFailure: failures.length > 0 ? Math.max(found.maxUtilisation, ...after) : null,
    changed: told.map((arc) => ({
      link: arcNames[arc]!,
      from: nodeNames[from[arc]!]!,
      to: nodeNames[to[arc]!]!,
      before: graph.length[arc]!,
      after: found.weights[arc]!,
    })),
    tries: found.tries,
    isStopped: signal.aborted,
  };
}

interface Failed {
  report: FailureLoad;
  shares: Float64Array;
}

async function afterFailures(
  input: EngineeringInput,
  base: ReturnType<typeof baseLoads>,
  options: AnalyseOptions,
): Promise<Failed[]> {
  const { network, failures } = input;
  const { signal, onProgress } = options;
  const sources = new Set(input.demands.from).size;
  const work = sources * network.graph.links * failures.length;
  const withBest = options.bestAfterFailures ?? work <= quickFailures;
  const failed: Failed[] = [];
  for (const failure of failures) {
    // A turn of the loop, so that Ctrl-C and the clock are heard.
    if (failed.length % 16 === 0) await setImmediate();
    if (signal.aborted) break;
    const loads = loadsIn(base, failure);
    const shares = poolUtilisation(network, loads.arcLoad);
    const best = withBest ? await bestAfter(input, failure, options, work) : null;
    if (signal.aborted && withBest) break;
    failed.push({ shares, report: { ...failureReport(input, failure, loads, shares), best } });
    onProgress(`failures: ${failed.length} of ${failures.length}`);
  }
  return failed;
}

function failureReport(
  input: EngineeringInput,
  { name, kind }: FailureCase,
  { unroutedVolume, strandedVolume }: CaseLoads,
  shares: Float64Array,
): Omit<FailureLoad, 'best'> {
  const maxUtilisation = largest(shares);
  const arc = maxUtilisation > 0 ? input.network.pool.indexOf(shares.indexOf(maxUtilisation)) : -1;
  const hottest = arc < 0 ? null : input.arcNames[arc]!;
  return { name, kind, maxUtilisation, hottest, unroutedVolume, strandedVolume };
}

/** Exact where the whole is quick; else the potential method alone, to a hundredth. */
async function bestAfter(
  { network, demands }: EngineeringInput,
  failure: FailureCase,
  { solver, signal }: AnalyseOptions,
  work: number,
): Promise<{ maxUtilisation: number; lowerBound: number }> {
  const isRough = work > quickFailures;
  const { maxUtilisation, lowerBound } = await minimiseMaxUtilisation(network, demandsIn(demands, failure), {
    solver,
    signal,
    gone: goneIn(network, failure),
    ...(isRough ? { isRough, sweeps: 20, gap: 0.01 } : {}),
  });
  return { maxUtilisation, lowerBound };
}

/** Of each pool: the largest utilisation in any failure, or normally, and what makes it. */
interface Worst {
  share: number;
  /** Null where the normal state is the worst. */
  after: string | null;
}

function worstByPool(shares: Float64Array, failed: readonly Failed[]): Worst[] {
  const worst: Worst[] = Array.from(shares, (share) => ({ share, after: null }));
  for (const { report, shares: then } of failed)
    then.forEach((share, p) => {
      if (share > worst[p]!.share) worst[p] = { share, after: report.name };
    });
  return worst;
}

function directions(
  input: EngineeringInput,
  given: CaseLoads,
  shares: Float64Array,
  best: LeastUtilisation,
  worst: readonly Worst[],
): DirectionLoad[] {
  const { network, limit, growthPerYear, years } = input;
  const bestShares = poolUtilisation(network, best.arcLoad);
  const within = (share: number) => {
    const at = yearsUntil(share, limit, growthPerYear);
    return at !== null && at <= years ? at : null;
  };
  const all = Array.from(network.pool, (p, arc) => ({
    link: input.arcNames[arc]!,
    from: input.nodeNames[network.graph.from[arc]!]!,
    to: input.nodeNames[network.graph.to[arc]!]!,
    capacity: network.capacity[p]!,
    load: given.arcLoad[arc]!,
    utilisation: shares[p]!,
    best: bestShares[p]!,
    worth: best.worth[p]!,
    worst:
      input.failures.length === 0 ? null : { utilisation: worst[p]!.share, after: worst[p]!.after ?? 'nothing failed' },
    overLimitInYears: within(shares[p]!),
    overLimitAfterFailureInYears: within(worst[p]!.share),
  }));
  return all.filter((_, arc) => !input.isUnlimited?.[network.link[arc]!]);
}

function byYear(
  input: EngineeringInput,
  shares: Float64Array,
  worst: readonly Worst[],
  best: number,
): Analysis['years'] {
  const hasFailures = input.failures.length > 0;
  const worstShare = worst.reduce((most, { share }) => Math.max(most, share), 0);
  return Array.from({ length: input.years + 1 }, (_, year) => {
    const growth = (1 + input.growthPerYear) ** year;
    const over = (isOver: (pool: number) => boolean) =>
      new Set(Array.from(input.network.link).filter((_, arc) => isOver(input.network.pool[arc]!))).size;
    return {
      year,
      growth,
      maxUtilisation: largest(shares) * growth,
      worstAfterFailure: hasFailures ? worstShare * growth : null,
      best: best * growth,
      linksOver: over((p) => shares[p]! * growth > input.limit),
      linksOverAfterFailure: hasFailures ? over((p) => worst[p]!.share * growth > input.limit) : null,
    };
  });
}

/**
 * With weights as they are, wider links change no path: a link needs what its worst load in the last year asks for, and the date is
 * when growth first lifts it over the limit.
 */
function wideningsAsGiven(
  { network, limit, growthPerYear, years, linkNames }: EngineeringInput,
  shares: Float64Array,
  worst: readonly Worst[],
): Analysis['upgrades']['given'] {
  const growth = (1 + growthPerYear) ** years;
  // The busier direction decides.
  const poolOf = new Map<number, number>();
  network.link.forEach((link, arc) => {
    const pool = network.pool[arc]!;
    const other = poolOf.get(link);
    if (other === undefined || worst[pool]!.share > worst[other]!.share) poolOf.set(link, pool);
  });
  return [...poolOf]
    .flatMap(([link, p]) => {
      const { share, after } = worst[p]!;
      const inYears = yearsUntil(share, limit, growthPerYear);
      if (inYears === null || inYears > years) return [];
      const utilisation = share * Math.max(1, growth);
      const units = Math.ceil(utilisation / limit - 1e-9);
      const because = after === null ? 'load with nothing failed' : `load after ${after} fails`;
      return [
        {
          // What is over the limit with nothing failed comes before what is over it in a failure.
          now: shares[p]! > limit ? shares[p]! : 0,
          link: linkNames[link]!,
          inYears,
          because: shares[p]! > limit ? 'load with nothing failed' : because,
          capacity: network.capacity[p]!,
          units,
          utilisation,
          after: utilisation / units,
        },
      ];
    })
    .sort((a, b) => a.inYears - b.inYears || b.now - a.now || b.utilisation - a.utilisation)
    .map(({ now: _, ...widening }) => widening);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
