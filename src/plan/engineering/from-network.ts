import type { Network } from '../../model/network.ts';
import type { Loads, PlanDemand } from '../../model/plan/demand.ts';
import type { LinkCapacity } from '../../model/plan/engineering.ts';
import { planDemand } from '../demand/demand.ts';
import { capacityNotes, linkCapacities } from '../link-capacities.ts';
import { linkDelays } from '../link-delays.ts';
import { type Measured, nothingMeasured } from '../measured.ts';
import type { EngineeringInput } from './analyse.ts';
import type { FailureCase } from './cases.ts';
import { demandColumns } from './from-repetita.ts';
import { type LinkInput, makeTrafficNetwork } from './traffic.ts';

/** Which load of a pair of sites has to fit. */
export type LoadKind = keyof Loads;

/**
 * Sites are nodes, devices hang on their sites, and links may end at either; what joins a site and its devices has room for
 * everything. Demand comes from workloads, jobs and demands of the file.
 */
export function fromNetwork(
  network: Network,
  load: LoadKind,
  demand: PlanDemand = planDemand(network),
  measured: Measured = nothingMeasured,
): EngineeringInput & { notes: string[]; capacities: LinkCapacity[] } {
  const notes: string[] = [];
  const { sites, nodes, links, planning } = network;
  const nodeNames = [...sites, ...nodes].map(({ name }) => name);
  const nodeOf = new Map(nodeNames.map((name, i) => [name, i]));
  const index = (name: string) => nodeOf.get(name)!;
  const demands = demandsOf(demand, load, nodeOf, notes);
  const enough = roomForAll(demands);
  const weights = weightsOf(network, measured, notes);
  const capacities = linkCapacities(network, measured);
  const inputs: LinkInput[] = [
    ...links.map(({ from, to }, i) => {
      const capacity = capacities[i]!.counted?.value ?? enough;
      return { from: index(from), to: index(to), capacity, weight: weights[i]! };
    }),
    ...nodes.map(({ name, site }) => ({ from: index(name), to: index(site), capacity: enough, weight: 0 })),
  ];
  const unjudged = capacities.filter(({ is }) => is === 'unknown').map(({ link }) => link);
  notes.push(...capacityNotes(capacities));
  if (unjudged.length > 0)
    notes.push(`no capacityGbps is known of ${unjudged.join(', ')}: they carry what comes, and are not judged`);
  const made = makeTrafficNetwork(nodeNames.length, inputs, 'each');
  const linkNames = [...links.map(({ name }) => name), ...nodes.map(({ name, site }) => `${name} at ${site}`)];
  return {
    network: made,
    demands: demandColumns(demands),
    nodeNames,
    arcNames: Array.from(made.link, (link) => linkNames[link]!),
    linkNames,
    isUnlimited: Uint8Array.from(linkNames, (_, i) => (capacities[i]?.counted ? 0 : 1)),
    failures: failuresOf(network, index),
    limit: planning.maxUtilisation,
    growthPerYear: planning.growthPerYear,
    years: planning.years,
    notes,
    capacities,
  };
}

type Row = { from: number; to: number; volume: number };

function demandsOf(demand: PlanDemand, load: LoadKind, nodeOf: ReadonlyMap<string, number>, notes: string[]): Row[] {
  notes.push(...demand.notes);
  if (load !== 'mean')
    notes.push(
      `loads are ${load === 'p99' ? '99th percentiles' : 'busy hours'} of pairs of sites, added up: what a link carries at any one moment is no more, and mostly less`,
    );
  return demand.pairs.flatMap(({ from, to, gbps }) => {
    const [a, b] = [nodeOf.get(from), nodeOf.get(to)];
    return a === undefined || b === undefined || a === b ? [] : [{ from: a, to: b, volume: gbps[load] }];
  });
}

/** So much that it is never what limits, and not so much that numbers suffer. */
function roomForAll(demands: readonly Row[]): number {
  return (
    1000 *
    Math.max(
      1,
      demands.reduce((sum, { volume }) => sum + volume, 0),
    )
  );
}

/** As entered, else the delay one way in μs. */
function weightsOf(network: Network, measured: Measured, notes: string[]): number[] {
  const { links } = network;
  const weighted = links.filter(({ weight }) => weight !== undefined).length;
  if (weighted > 0 && weighted < links.length)
    notes.push(`${weighted} of ${links.length} links have a weight; the others count with their delay in μs`);
  const { delays, notes: ofDelays } = linkDelays(network, measured);
  if (weighted < links.length) notes.push(...ofDelays);
  return links.map(({ weight }, l) => weight ?? (delays[l]!.rttMs * 1000) / 2);
}

/** Every link, device, site, risk group and carrier alone. */
function failuresOf(
  { sites, nodes, links, riskGroups, carriers }: Network,
  index: (name: string) => number,
): FailureCase[] {
  const inGroup = (name: string) => (one: { riskGroups: readonly string[] }) => one.riskGroups.includes(name);
  const numbers = <T>(all: readonly T[], isIn: (one: T) => boolean) => all.flatMap((one, i) => (isIn(one) ? [i] : []));
  return [
    ...links.map(({ name }, i): FailureCase => ({ name, kind: 'link', links: [i], nodes: [] })),
    ...nodes.map(({ name }): FailureCase => ({ name, kind: 'node', links: [], nodes: [index(name)] })),
    ...sites.map(({ name }): FailureCase => {
      const own = nodes.filter(({ site }) => site === name).map((node) => index(node.name));
      return { name, kind: 'site', links: [], nodes: [index(name), ...own] };
    }),
    ...riskGroups.map(({ name }): FailureCase => {
      const nodesIn = nodes.filter(inGroup(name)).map((node) => index(node.name));
      return { name, kind: 'risk-group', links: numbers(links, inGroup(name)), nodes: nodesIn };
    }),
    ...carriers.map(({ name }): FailureCase => {
      const nodesIn = nodes.filter(({ carrier }) => carrier === name).map((node) => index(node.name));
      return { name, kind: 'carrier', links: numbers(links, ({ carrier }) => carrier === name), nodes: nodesIn };
    }),
  ].filter((one) => one.links.length > 0 || one.nodes.length > 0);
}
