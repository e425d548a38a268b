import type { Network } from '../../model/network.ts';
import type { RedundancyReport, ServiceFacts } from '../../model/plan/redundancy.ts';
import { changesOf, gains, offeredProposals, type Proposal, proposalsFor, stateLimit } from './changes.ts';
import { cutSets } from './cut-sets.ts';
import type { Downtime } from './downtime.ts';
import { cableFailures, cableRepair } from './failing.ts';
import { findingsOf } from './findings.ts';
import { riskNetworkOf } from './from-network.ts';
import type { PairEffort } from './pairs.ts';
import { downtimeOf } from './reachability.ts';
import type { RiskMap } from './risk-map.ts';
import { type RiskNetwork, riskMapOf } from './risk-network.ts';
import { serviceFacts, serviceQuestion } from './service.ts';
import { type Service, servicesOf } from './services.ts';

/** What is asked for: a network of risks, who has to reach what, and what could be bought. */
export interface RedundancyInput {
  source: string;
  net: RiskNetwork;
  services: readonly Service[];
  offered: readonly Proposal[];
  notes: readonly string[];
}

export function redundancyInput(network: Network, source: string): RedundancyInput {
  const { net, notes } = riskNetworkOf(network);
  const { services, notes: more } = servicesOf(network);
  return { source, net, services, offered: offeredProposals(network), notes: [...notes, ...more] };
}

export interface RedundancyEffort extends PairEffort {
  /** Called between steps; gives others their turn, and tells how far it is. */
  pause(doing: string): Promise<void>;
}

/** Disjoint paths, cuts and availability of every service, and what single changes would do for them. */
export async function planRedundancy(input: RedundancyInput, effort: RedundancyEffort): Promise<RedundancyReport> {
  const { net, services } = input;
  const map = riskMapOf(net);
  const facts: ServiceFacts[] = [];
  const isStopped = () => effort.signal?.aborted === true;
  for (const [i, service] of services.entries()) {
    await effort.pause(`service ${i + 1} of ${services.length}: ${service.from} → ${service.to}`);
    if (isStopped()) break;
    facts.push(await serviceFacts(net, serviceQuestion(map, service), effort));
  }
  const { changes, tried } = await bestChanges(input, map, effort);
  return {
    schema: 'inferpath/plan-redundancy@1',
    source: input.source,
    interrupted: isStopped(),
    figures: [cableFailures, cableRepair],
    notes: [...input.notes],
    services: facts,
    findings: findingsOf(facts),
    changes,
    changesTried: tried,
  };
}

/** Services whose downtime changes are held against: the ones of most users, where there are very many. */
const maxServices = 60;
const maxProposals = 150;

async function bestChanges({ net, services: all, offered }: RedundancyInput, map: RiskMap, effort: RedundancyEffort) {
  const services = all.toSorted((a, b) => b.users - a.users).slice(0, maxServices);
  const before: Downtime[] = services.map((service) => downtimeOf(serviceQuestion(map, service), stateLimit));
  const matters = weights(map, services);
  const importance = (kind: string, name: string) => matters.get(`${kind} ${name}`) ?? 0;
  const own = proposalsFor(net, (kind, name) => importance(kind, name) > 0);
  const targetWeight = ({ target }: Proposal) =>
    Math.max(...['link', 'group', 'node', 'carrier'].map((kind) => importance(kind, target)));
  const proposals = [...offered, ...own.toSorted((a, b) => targetWeight(b) - targetWeight(a))].slice(0, maxProposals);
  const found = [];
  for (const gain of gains(net, services, before, proposals)) {
    found.push(gain);
    await effort.pause(`change ${found.length} of ${proposals.length}`);
    if (effort.signal?.aborted) break;
  }
  return { changes: changesOf(found, 10), tried: found.length };
}

/** How much downtime goes through each risk: sums over cut sets of one and two, weighed by users. */
function weights(map: RiskMap, services: readonly Service[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const service of services) {
    for (const set of cutSets(serviceQuestion(map, service), 2, 50_000).sets) {
      const share = set.reduce((product, r) => product * map.risks[r]!.down, Math.max(1, service.users));
      for (const r of set) {
        const { kind, name } = map.risks[r]!;
        sums.set(`${kind} ${name}`, (sums.get(`${kind} ${name}`) ?? 0) + share);
      }
    }
  }
  return sums;
}
