import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import type { PartName, PlanReport } from '../../model/plan/plan.ts';
import { planDemand } from '../../plan/demand/demand.ts';
import { engineeringReportOf } from '../../plan/engineering/report.ts';
import { fromNetwork } from '../../plan/engineering/from-network.ts';
import { studyOfNetwork } from '../../plan/failures/from-network.ts';
import { type Measured, measuredOf } from '../../plan/measured.ts';
import { startSolver, type Solver } from '../../plan/milp/solver.ts';
import { opticalFindings } from '../../plan/optical/network/findings.ts';
import { isOwnFibre } from '../../plan/optical/network/from-network.ts';
import { placementQuestion } from '../../plan/placement/from-network.ts';
import { planSites } from '../../plan/placement/plan.ts';
import { placementReport } from '../../plan/placement/report.ts';
import type { Proposals } from '../../plan/rank.ts';
import { planRedundancy, redundancyInput } from '../../plan/redundancy/redundancy.ts';
import { planTransport } from '../../plan/transport/transport.ts';
import type { Io } from '../../wire/io.ts';
import { failuresOf } from './failures.ts';
import { opticalOf } from './optical-network.ts';
import type { PlanProgress } from './progress.ts';
import { runSearch } from './search-run.ts';

export interface PartContext {
  network: Network;
  file: string;
  observations: readonly Observation[];
  progress: PlanProgress;
  io: Io;
}

type Computed = Pick<PlanReport, 'parts' | 'skipped'>;
type Parts = PlanReport['parts'];

/** What every step reads: the traffic is worked out once, and all parts plan for the same. */
interface StepContext extends PartContext {
  demand: PlanDemand;
  measured: Measured;
  solver: Solver;
}

/** One part: what came of it, or why the file has nothing for it. */
interface Step {
  part: PartName;
  compute(context: StepContext): Promise<Partial<Parts> | string>;
}

/** The whole plan tries so many other weights, where the network is small; `plan engineering --optimise-weights` tries more. */
const weightTries = 3000;
const weightsUpTo = 100;

const noLinks = 'the file has no links';

const steps: readonly Step[] = [
  {
    part: 'demand',
    compute: async ({ demand, network: { workloads, jobs, demands } }) =>
      workloads.some(({ traffic }) => traffic) || jobs.length > 0 || demands.length > 0
        ? { demand }
        : 'no workload has traffic, and there are no jobs or demands',
  },
  {
    part: 'redundancy',
    compute: async ({ network, file, progress: { signal, pause }, solver }) => {
      if (network.links.length === 0) return noLinks;
      const options = { solver, signal, pause: (doing: string) => pause(`redundancy: ${doing}`) };
      return { redundancy: await planRedundancy(redundancyInput(network, file), options) };
    },
  },
  {
    part: 'failures',
    compute: async ({ network, demand, measured, progress, io }) => {
      if (network.links.length === 0) return noLinks;
      const study = studyOfNetwork(network, undefined, demand, measured);
      return { failures: await failuresOf({ ...study, doubles: true, flags: {}, io, progress }) };
    },
  },
  {
    part: 'engineering',
    compute: async ({ network, demand, measured, file, progress: { signal, show }, solver }) => {
      if (network.links.length === 0) return noLinks;
      const { notes, capacities, ...input } = fromNetwork(network, 'p99', demand, measured);
      const source = { kind: 'network' as const, files: [file], unit: 'Gbit/s', notes, capacities };
      const onProgress = (doing: string) => show(`engineering: ${doing}`);
      return {
        engineering: await engineeringReportOf(input, source, {
          solver,
          signal,
          onProgress,
          optimiseWeights: network.links.length <= weightsUpTo,
          weightTries,
        }),
      };
    },
  },
  {
    part: 'optical',
    compute: async ({ network, demand, io, progress }) => {
      if (!network.links.some(isOwnFibre)) return 'no link is dark fibre, MOFN or spectrum';
      const optical = await opticalOf(network, demand, io, progress);
      return { optical: { ...optical, findings: opticalFindings(optical) } };
    },
  },
  {
    part: 'transport',
    compute: async ({ network, demand, measured }) =>
      network.requirements.length + network.quotes.length > 0
        ? { transport: planTransport(network, demand, measured) }
        : 'there are no requirements and no quotes',
  },
  {
    part: 'placement',
    compute: async ({ network, file, measured, progress, io }) => {
      const question = placementQuestion(network, { measured });
      if ('missing' in question) return question.missing.join('; ');
      const { standing, stopped } = await runSearch(planSites(question.input), io, progress, () => 'placement');
      const { currency } = network.planning;
      return { placement: placementReport(question, standing, { file, currency, stopped }) };
    },
  },
];

/** Every part that the file has something for, in order; what Ctrl-C or the time limit cuts off is named as skipped. */
export async function computeParts(context: PartContext): Promise<Computed> {
  const { network, observations, progress } = context;
  const computed: Computed = { parts: {}, skipped: [] };
  const solver = startSolver();
  try {
    const measured = measuredOf(network, observations);
    const known = { ...context, solver, measured, demand: planDemand(network, 0, observations) };
    for (const { part, compute } of steps) {
      const made = progress.signal.aborted ? 'the search was stopped before it' : await compute(known);
      if (typeof made === 'string') computed.skipped.push({ part, why: made });
      else Object.assign(computed.parts, made);
    }
  } finally {
    await solver.close();
  }
  return computed;
}

/** What every part found and proposes. */
export function proposalsOf(parts: Parts): Proposals[] {
  return Object.values(parts).flatMap((part) =>
    part === undefined ? [] : [{ findings: part.findings, changes: 'changes' in part ? part.changes : [] }],
  );
}
