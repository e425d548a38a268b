import type { PairFacts, PathFacts, RiskFacts, ServiceFacts } from '../../model/plan/redundancy.ts';
import { nodesAlong } from '../../stats/graph/dijkstra.ts';
import { type CutSets, cutSets, type Reachability } from './cut-sets.ts';
import { minutesPerYear } from './failing.ts';
import { simulate } from './monte-carlo.ts';
import { pairQuestion, type PairQuestion, type Path } from './pair-question.ts';
import { findPair, leastShared, type PairAnswer, type PairEffort } from './pairs.ts';
import { downtimeOf, reachOf } from './reachability.ts';
import type { RiskKind, RiskMap } from './risk-map.ts';
import { type RiskNetwork, riskMapOf } from './risk-network.ts';
import type { Service } from './services.ts';

/** A service on numbers. */
export interface ServiceQuestion extends Reachability {
  service: Service;
}

/** Of each number of failures that is not tried to the end. */
const draws = 500;
const seed = 1;

export function serviceQuestion(map: RiskMap, service: Service): ServiceQuestion {
  const numberOf = (name: string) => map.nodeNames.indexOf(name);
  const [source, targets] = [numberOf(service.from), service.servedFrom.map(numberOf)];
  const excepted = new Uint8Array(map.risks.length);
  const ends = service.countsSite ? [source] : [source, ...targets];
  for (const end of ends) for (const r of standingFor(map, end)) excepted[r] = 1;
  return { map, source, targets, excepted, service };
}

/** A node itself, and the site that it is; not the risk groups that it is in. */
function standingFor({ risks, risksOfNode }: RiskMap, node: number): number[] {
  return risksOfNode[node]!.filter((r) => risks[r]!.kind === 'node' || risks[r]!.kind === 'site');
}

/** Everything about one service: pairs, cuts, availability. */
export async function serviceFacts(
  net: RiskNetwork,
  question: ServiceQuestion,
  effort: PairEffort,
): Promise<ServiceFacts> {
  const { service, map } = question;
  const { low, high } = downtimeOf(question);
  const cuts = cutSets(question, 3, maxSearches);
  const simulated = simulate(reachOf(question), draws, seed);
  return {
    from: service.from,
    to: service.to,
    servedFrom: service.servedFrom,
    target: service.target,
    meetsTarget: meets(service.target, low, high),
    availability: { low: 1 - high, high: 1 - low },
    unavailability: { low, high },
    nines: high > 0 ? -Math.log10(high) : null,
    downMinutesPerYear: { low: low * minutesPerYear, high: high * minutesPerYear },
    simulation: {
      unavailability: simulated.share,
      interval: [simulated.interval[0], simulated.interval[1]],
      tried: simulated.tried,
      drawn: simulated.drawn,
      seed,
      agrees: low <= simulated.interval[1] && high >= simulated.interval[0],
    },
    pairs: await pairsOf(net, service, effort),
    singlePoints: singlePoints(cuts, map),
    cutSets: {
      counts: [1, 2, 3].map((size) => cuts.sets.filter((set) => set.length === size).length),
      isComplete: cuts.isComplete,
      worst: worstCuts(cuts, map),
    },
  };
}

/** Searches for paths that the cut sets of one service may take: some seconds at most. */
const maxSearches = 300_000;

function meets(target: number | null, low: number, high: number): boolean | null {
  if (target === null) return null;
  if (1 - high >= target) return true;
  return 1 - low < target ? false : null;
}

function singlePoints({ sets }: CutSets, map: RiskMap): RiskFacts[] {
  const points = sets.filter((set) => set.length === 1).map(([r]) => riskFacts(map, r!));
  return points.sort((a, b) => b.downMinutesPerYear - a.downMinutesPerYear);
}

function worstCuts({ sets }: CutSets, map: RiskMap): ServiceFacts['cutSets']['worst'] {
  const share = (set: readonly number[]) => set.reduce((product, r) => product * map.risks[r]!.down, 1);
  const worst = sets
    .filter((set) => share(set) > 0)
    .toSorted((a, b) => share(b) - share(a))
    .slice(0, 10);
  return worst.map((set) => ({
    risks: set.map((r) => riskFacts(map, r)),
    downMinutesPerYear: share(set) * minutesPerYear,
  }));
}

export function riskFacts({ risks }: RiskMap, r: number): RiskFacts {
  const { kind, name, lengthKm, down } = risks[r]!;
  return { kind, name, lengthKm, downMinutesPerYear: down * minutesPerYear };
}

const levels: { apart: PairFacts['apart']; kinds: RiskKind[] }[] = [
  { apart: 'link', kinds: [] },
  { apart: 'node', kinds: ['node'] },
  { apart: 'group', kinds: ['group'] },
  { apart: 'carrier', kinds: ['carrier'] },
  { apart: 'site', kinds: ['site'] },
  { apart: 'all', kinds: ['node', 'group', 'carrier', 'site'] },
];

/** Where several sites serve, both paths may end at any of them: a node beyond them all is the other end. */
async function pairsOf(net: RiskNetwork, { from, servedFrom }: Service, effort: PairEffort): Promise<PairFacts[]> {
  const map = riskMapOf(servedFrom.length > 1 ? withBeyond(net, servedFrom) : net);
  const numberOf = (name: string) => map.nodeNames.indexOf(name);
  const to = servedFrom.length > 1 ? map.graph.nodes - 1 : numberOf(servedFrom[0]!);
  const pairs: PairFacts[] = [];
  for (const { apart, kinds } of levels) {
    if (!isAskable(map, kinds)) continue;
    const question = pairQuestion(map, numberOf(from), to, kinds, servedFrom.map(numberOf));
    const answer = await findPair(question, effort);
    pairs.push(await pairFacts(apart, question, answer, effort));
  }
  return pairs;
}

function isAskable({ risks }: RiskMap, kinds: readonly RiskKind[]): boolean {
  if (kinds.length === 0) return true;
  return risks.some(({ kind }) => kinds.includes(kind) || (kind === 'site' && kinds.includes('node')));
}

const beyondName = '\u0000beyond';

function withBeyond(net: RiskNetwork, sites: readonly string[]): RiskNetwork {
  return {
    ...net,
    nodes: [...net.nodes, { name: beyondName, site: null, failing: null, carrier: null, groups: [] }],
    links: [
      ...net.links,
      ...sites.map((site) => {
        return { name: beyondName, from: site, to: beyondName, lengthKm: 0, carrier: null, groups: [], failing: null };
      }),
    ],
  };
}

async function pairFacts(
  apart: PairFacts['apart'],
  question: PairQuestion,
  answer: PairAnswer,
  effort: PairEffort,
): Promise<PairFacts> {
  const { map } = question;
  const empty = { apart, paths: [], lengthKm: null, atLeastKm: null, blockedBy: [], leastShared: null };
  if (answer.status === 'unknown') return { ...empty, status: 'unknown', by: null, atLeastKm: answer.atLeastKm };
  if (answer.status === 'found') {
    const { pair, by, atLeastKm } = answer;
    const paths = pair.paths.map((path) => pathFacts(question, path));
    return { ...empty, status: 'found', by, paths, lengthKm: pair.lengthKm, atLeastKm };
  }
  const { because } = answer;
  const least = await leastShared(question, because, effort);
  return {
    ...empty,
    status: 'none',
    by: because.kind === 'risks' ? 'everyPath' : because.kind === 'cases' ? 'conflicts' : because.kind,
    blockedBy: because.kind === 'risks' ? because.risks.map((r) => riskFacts(map, r)) : [],
    leastShared: least && {
      paths: least.pair.paths.map((path) => pathFacts(question, path)),
      shared: least.risks.map((r) => riskFacts(map, r)),
      isLeast: least.isLeast,
    },
  };
}

/** Without what joins a site with its devices, and without the node beyond. */
function pathFacts({ map, from }: PairQuestion, { links, lengthKm }: Path): PathFacts {
  const isLink = (link: number) => map.risksOfLink[link]!.some((r) => map.risks[r]!.kind === 'link');
  const nodes = nodesAlong(map.graph, from, links).map((node) => map.nodeNames[node]!);
  return {
    links: links.filter(isLink).map((link) => map.linkNames[link]!),
    nodes: nodes.filter((name) => name !== beyondName),
    lengthKm,
  };
}
