import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import type { PartName, PlanReport } from '../../model/plan/plan.ts';
import { planDemand } from '../../plan/demand/demand.ts';
import { engineeringReportOf } from '../../plan/engineering/report.ts';
import { fromNetwork } from '../../plan/engineering/from-network.ts';
import { studyOfNetwork } from '../../plan/failures/from-network.ts';
import { measuredRtts, pairKey } from '../../plan/measured.ts';
import { startSolver, type Solver } from '../../plan/milp/solver.ts';
import { opticalFindings } from '../../plan/optical/network/findings.ts';
import { opticalOfNetwork } from '../../plan/optical/network/from-network.ts';
import { placementQuestion } from '../../plan/placement/from-network.ts';
import { planSites } from '../../plan/placement/plan.ts';
import { placementReport } from '../../plan/placement/report.ts';
import type { Proposals } from '../../plan/rank.ts';
import { planRedundancy, redundancyInput } from '../../plan/redundancy/redundancy.ts';
import { planTransport } from '../../plan/transport/transport.ts';
import type { Io } from '../../wire/io.ts';
import { failuresOf } from './failures.ts';
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

/** One part: why the file has nothing for it, or null, and how it is computed. */
interface Step {
  part: PartName;
  lacks(network: Network): string | null;
  compute(context: PartContext, solver: Solver): Promise<Partial<Parts>>;
}

/** Links whose light is one's own to send. */
const isOwnFibre = ({ kind }: Network['links'][number]) =>
  kind === 'darkFibre' || kind === 'mofn' || kind === 'spectrum';

const lacksLinks = ({ links }: Network) => (links.length === 0 ? 'the file has no links' : null);

const steps: readonly Step[] = [
  {
    part: 'demand',
    lacks: ({ workloads, jobs, demands }) =>
      workloads.some(({ traffic }) => traffic) || jobs.length > 0 || demands.length > 0
        ? null
        : 'no workload has traffic, and there are no jobs or demands',
    compute: async ({ network, observations }) => ({ demand: planDemand(network, 0, observations) }),
  },
  {
    part: 'redundancy',
    lacks: lacksLinks,
    compute: async ({ network, file, progress }, solver) => {
      const pause = pauser(progress, 'redundancy');
      return {
        redundancy: await planRedundancy(redundancyInput(network, file), { solver, signal: progress.signal, pause }),
      };
    },
  },
  {
    part: 'failures',
    lacks: lacksLinks,
    compute: async ({ network, progress, io }) => {
      const task = { ...studyOfNetwork(network, undefined), doubles: true, flags: {}, io, signal: progress.signal };
      return { failures: await failuresOf(task) };
    },
  },
  {
    part: 'engineering',
    lacks: lacksLinks,
    compute: async ({ network, file, progress }, solver) => {
      const { notes, unjudged, ...input } = fromNetwork(network, 'p99');
      const source = { kind: 'network' as const, files: [file], unit: 'Gbit/s', notes, unjudged };
      const onProgress = (doing: string) => progress.show(`engineering: ${doing}`);
      return { engineering: await engineeringReportOf(input, source, { solver, signal: progress.signal, onProgress }) };
    },
  },
  {
    part: 'optical',
    lacks: ({ links }) => (links.some(isOwnFibre) ? null : 'no link is dark fibre, MOFN or spectrum'),
    compute: async ({ network }) => {
      const optical = opticalOfNetwork(network);
      return { optical: { ...optical, findings: opticalFindings(optical) } };
    },
  },
  {
    part: 'transport',
    lacks: ({ requirements, quotes }) =>
      requirements.length + quotes.length > 0 ? null : 'there are no requirements and no quotes',
    compute: async ({ network, observations }) => ({
      transport: planTransport(network, planDemand(network, 0, observations)),
    }),
  },
  {
    part: 'placement',
    lacks: (network) => {
      const question = placementQuestion(network, {});
      return 'missing' in question ? question.missing.join('; ') : null;
    },
    compute: async ({ network, file, observations, progress, io }) => {
      const rtts = measuredRtts(network, observations);
      const question = placementQuestion(network, { measured: (a, b) => rtts.get(pairKey(a, b)) });
      if ('missing' in question) return {};
      const words = () => 'placement';
      const { standing, stopped } = await runSearch(planSites(question.input), io, progress, words);
      const { currency } = network.planning;
      return { placement: placementReport(question, standing, { file, currency, stopped }) };
    },
  },
];

/** Every part that the file has something for, in order; what Ctrl-C or the time limit cuts off is named as skipped. */
export async function computeParts(context: PartContext): Promise<Computed> {
  const { network, progress } = context;
  const computed: Computed = { parts: {}, skipped: [] };
  const solver = startSolver();
  try {
    for (const { part, lacks, compute } of steps) {
      const why = progress.signal.aborted ? 'the search was stopped before it' : lacks(network);
      if (why === null) Object.assign(computed.parts, await compute(context, solver));
      else computed.skipped.push({ part, why });
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

/** Between two steps the event loop gets its turn, so that Ctrl-C is heard. */
function pauser(progress: PlanProgress, part: string) {
  return async (doing: string) => {
    await new Promise((resolve) => setImmediate(resolve));
    progress.show(`${part}: ${doing}`);
  };
}
