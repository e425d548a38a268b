import type { Network } from '../../model/network.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import { demandFindings } from './findings.ts';
import { type Flow } from './flow.ts';
import { demandInput } from './from-network.ts';
import { jobFlows } from './jobs.ts';
import { pairsOf, publishedFlow, sumOf } from './matrix.ts';
import { requestFlows } from './requests.ts';

/** Growth of the network file after some years, as a factor. */
export function growthFactor({ planning }: Network, year: number): number {
  return (1 + planning.growthPerYear) ** year;
}

/**
 * The traffic matrix of a network file: workloads, jobs and demands turned into flows, and flows into what every pair of sites
 * needs at mean, in the busiest hour and at the 99th percentile.
 */
export function planDemand(network: Network, year = 0): PlanDemand {
  const growth = growthFactor(network, year);
  const { requests, jobs, demands, notes } = demandInput(network);
  const flows = [...requests.flatMap(requestFlows), ...jobs.flatMap(jobFlows), ...demands].map((f) => grown(f, growth));
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
    findings: demandFindings(network, pairs),
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
