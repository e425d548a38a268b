import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import { computed } from '../figures.ts';
import { linkCapacities } from '../link-capacities.ts';
import { measuredOf } from '../measured.ts';
import { demandFindings } from './findings.ts';
import { type Flow } from './flow.ts';
import { demandInput } from './from-network.ts';
import { jobFlows } from './jobs.ts';
import { measuredSizes } from './measured.ts';
import { pairsOf, publishedFlow, sumOf } from './matrix.ts';
import { requestFlows } from './requests.ts';

/** Growth of the network file after some years, as a factor. */
export function growthFactor({ planning }: Network, year: number): number {
  return (1 + planning.growthPerYear) ** year;
}

/**
 * The traffic matrix of a network file: workloads, jobs and demands turned into flows, and flows into what every pair of sites
 * needs at mean, in the busiest hour and at the 99th percentile. Sizes that were measured go before those that are published or assumed,
 * and after those that stand in the file.
 */
export function planDemand(network: Network, year = 0, observations: readonly Observation[] = []): PlanDemand {
  const growth = growthFactor(network, year);
  const { requests, jobs, demands, notes } = demandInput(network, measuredSizes(observations));
  const single = [...requests.flatMap(requestFlows), ...jobs.flatMap(jobFlows), ...demands];
  const flows = merged(single).map((f) => grown(f, growth));
  const total = (scope: Flow['scope']) => sumOf(flows.filter((f) => f.scope === scope)).gbps;
  const pairs = pairsOf(flows);
  return {
    schema: 'inferpath/plan-demand@1',
    year,
    growth,
    pairs,
    flows: flows.map(publishedFlow),
    total: {
      northSouthGbps: total('north-south'),
      eastWestGbps: total('east-west'),
      packetsPerS: sumOf(flows).packetsPerS,
    },
    notes: [...notes, ...(flows.length > 0 ? always : [])],
    findings: demandFindings(network, pairs, linkCapacities(network, measuredOf(network, observations))),
  };
}

const always = [
  'handshakes, retransmissions and health checks are not in the numbers: a few per cent of packets, less of bits',
];

/** More users make more requests; a job or a steady demand grows in size. */
function grown(flow: Flow, growth: number): Flow {
  if (flow.law === 'poisson') return { ...flow, busyByHourUtc: flow.busyByHourUtc.map((n) => n * growth) };
  return { ...flow, bitsPerS: flow.bitsPerS * growth, packetsPerS: flow.packetsPerS * growth };
}

/** Flows of one workload that take the same way and are of one size, from users of several sites, are one flow. */
function merged(flows: readonly Flow[]): Flow[] {
  const byKey = new Map<string, Flow>();
  flows.forEach((flow, i) => {
    const { source, part, from, to, law, bitsPerS } = flow;
    const key = law === 'poisson' ? [source, part, from, to, bitsPerS].join('\n') : String(i);
    const same = byKey.get(key);
    byKey.set(key, same ? together(same, flow) : flow);
  });
  return [...byKey.values()];
}

function together(a: Flow, b: Flow): Flow {
  const busyByHourUtc = a.busyByHourUtc.map((n, hour) => n + b.busyByHourUtc[hour]!);
  const most = Math.max(...busyByHourUtc);
  const all = computed(
    'at once with the users of other sites',
    most,
    '',
    'sum over the sites in their busiest hour together',
    [],
  );
  const own = a.figures.filter(({ name }) => name !== all.name);
  return { ...a, busyByHourUtc, figures: [...own, all] };
}
