import { plannedNetwork } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import { measuredOf } from '../../plan/measured.ts';
import type { PlacementOptions } from '../../plan/placement/from-network.ts';
import { placementQuestion } from '../../plan/placement/from-network.ts';
import { planSites, type PlanStanding } from '../../plan/placement/plan.ts';
import { placementReport } from '../../plan/placement/report.ts';
import { prettyJson } from '../../report/json.ts';
import { renderPlacementPlan } from '../../report/plan/placement-text.ts';
import type { Io } from '../../wire/io.ts';
import { type ExitCode, exitCode, UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planProgress } from './progress.ts';
import { runSearch } from './search-run.ts';

/** Plans the sites of a network file, or of nothing but lists of cities and regions, and prints what came of it. */
export async function placeNetwork(
  file: string | undefined,
  options: PlacementOptions,
  observations: readonly Observation[],
  flags: { json: boolean; timeLimit?: number | undefined },
  io: Io,
): Promise<ExitCode> {
  const network = file === undefined ? plannedNetwork.parse({ version: 1 }) : await loadPlannedNetwork(file, io);
  const question = placementQuestion(network, { ...options, measured: measuredOf(network, observations) });
  if ('missing' in question)
    throw new UsageError(question.missing.map((one) => (file === undefined ? one : `${file}: ${one}`)).join('\n'));
  const progress = planProgress(io, flags.timeLimit);
  try {
    const { standing, stopped } = await runSearch(planSites(question.input), io, progress, progressWords);
    progress.end();
    const report = placementReport(question, standing, {
      file: file ?? 'open data',
      currency: network.planning.currency,
      stopped,
    });
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(report) : renderPlacementPlan(report, { columns, colors }));
    if (stopped === 'interrupted') return exitCode.interrupted;
    return report.findings.some(({ verdict }) => verdict === 'fail') ? exitCode.notReady : exitCode.ready;
  } finally {
    progress.end();
  }
}

function progressWords({ curve, fewest }: PlanStanding): string {
  const done = curve.at(-1);
  const enough = fewest === null ? '' : `, ${fewest} reach the coverage`;
  return done ? `up to ${done.sites} sites: mean ${done.metrics.meanMs.toFixed(1)} ms${enough}` : 'first answer';
}
