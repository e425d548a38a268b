import { builtInTargets } from '../../model/defaults.ts';
import type { Network } from '../../model/network.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import type { TrafficFlow } from '../../model/plan/demand.ts';
import type { ElementKind } from '../../model/plan/failures.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { planDemand } from '../demand/demand.ts';
import { capacityNotes, linkCapacities } from '../link-capacities.ts';
import { delaysInWords, linkDelays } from '../link-delays.ts';
import { type Measured, nothingMeasured } from '../measured.ts';
import type { Element } from './elements.ts';
import type { Study } from './study.ts';
import type { Traffic, TrafficDemand } from './traffic.ts';

/** Round trips are counted in whole ns, so that sums are exact. */
const nsPerMs = 1e6;

/**
 * Sites are nodes, devices hang on their sites, and links may end at either; what joins a site and its devices never fails and takes
 * no time. Ends of pairs are the sites. Demand is the busiest hour of all that the file has.
 */
export function studyOfNetwork(
  network: Network,
  kinds: readonly ElementKind[] | undefined,
  demand: PlanDemand = planDemand(network),
  measured: Measured = nothingMeasured,
): { study: Study; traffic: Traffic } {
  const { sites, nodes, links } = network;
  const nodeNames = [...sites, ...nodes].map(({ name }) => name);
  const numbers = new Map(nodeNames.map((name, v) => [name, v]));
  const number = (name: string) => numbers.get(name)!;
  const { delays, notes } = linkDelays(network, measured);
  const rttMs = delays.map((delay) => delay.rttMs);
  const capacities = linkCapacities(network, measured);
  const from = [...links.map((link) => number(link.from)), ...nodes.map(({ name }) => number(name))];
  const to = [...links.map((link) => number(link.to)), ...nodes.map(({ site }) => number(site))];
  const hangsOn = nodes.map(() => 0);
  const isEnd = Uint8Array.from(nodeNames, (_, v) => (v < sites.length ? 1 : 0));
  const study: Study = {
    name: network.vantage?.name ?? null,
    graph: makeGraph({
      nodes: nodeNames.length,
      from,
      to,
      length: [...rttMs.map((ms) => Math.round(ms * nsPerMs)), ...hangsOn],
    }),
    nodeNames,
    elements: elementsOf(network, number).filter(({ kind }) => !kinds || kinds.includes(kind)),
    sources: sites.map((_, v) => v),
    isEnd,
    unit: 'ms',
    scale: nsPerMs,
    lengths: delaysInWords(delays),
    limit: null,
  };
  const traffic: Traffic = {
    nodes: nodeNames.length,
    links: from.map((end, l) => ({
      from: end,
      to: to[l]!,
      name: links[l]?.name ?? null,
      capacityGbps: capacities[l]?.counted?.value ?? null,
      rttMs: rttMs[l] ?? 0,
      // The metric of the delay is μs one way, as the routing of plan engineering has it.
      weight: links[l] ? (links[l].weight ?? (rttMs[l]! * 1000) / 2) : 0,
    })),
    demands: demand.flows.flatMap((flow) => demandOf(flow, network, numbers)),
    maxUtilisation: network.planning.maxUtilisation,
    notes: [...notes, ...capacityNotes(capacities)],
  };
  return { study, traffic };
}

function elementsOf(
  { sites, nodes, links, riskGroups, carriers }: Network,
  number: (name: string) => number,
): Element[] {
  const where = (
    kind: ElementKind,
    name: string,
    isIn: (one: { riskGroups: readonly string[]; carrier?: string | undefined }) => boolean,
  ): Element => ({
    kind,
    name,
    links: links.flatMap((link, l) => (isIn(link) ? [l] : [])),
    nodes: nodes.flatMap((node) => (isIn(node) ? [number(node.name)] : [])),
  });
  return [
    ...links.map(({ name }, l): Element => ({ kind: 'link', name, links: [l], nodes: [] })),
    ...nodes.map(({ name }): Element => ({ kind: 'node', name, links: [], nodes: [number(name)] })),
    ...riskGroups.map(({ name }) => where('risk-group', name, (one) => one.riskGroups.includes(name))),
    ...carriers.map(({ name }) => where('carrier', name, (one) => one.carrier === name)),
    ...sites.map(({ name }): Element => {
      const own = nodes.filter(({ site }) => site === name).map((node) => number(node.name));
      return { kind: 'site', name, links: [], nodes: [number(name), ...own] };
    }),
  ].filter((one) => one.links.length > 0 || one.nodes.length > 0);
}

/** What leaves its site; with the limit of its class, as the file has it. */
function demandOf(flow: TrafficFlow, network: Network, numbers: ReadonlyMap<string, number>): TrafficDemand[] {
  const [from, to] = [numbers.get(flow.from), numbers.get(flow.to)];
  if (from === undefined || to === undefined || from === to) return [];
  return [
    {
      name: `${flow.source}, ${flow.part}`,
      class: flow.class,
      from,
      to,
      gbps: flow.gbps.busyHour,
      limitMs: limitOf(flow, network),
    },
  ];
}

/** Later wins: built-in class, `targets` of the file for that class, `targets` of the workload. */
function limitOf({ class: ofClass, source }: TrafficFlow, { targets, workloads }: Network): number | null {
  if (ofClass === null) return null;
  const own = workloads.find(({ name }) => name === source)?.targets?.networkRttMs;
  return (own ?? targets[ofClass]?.networkRttMs ?? builtInTargets(ofClass).networkRttMs).max;
}
