import type { Network } from '../../model/network.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import type { OpticalNetworkReport } from '../../model/plan/optical-network.ts';
import { planDemand } from '../../plan/demand/demand.ts';
import { opticalInput, opticalNetworkReport } from '../../plan/optical/network/from-network.ts';
import { planOpticalNetwork } from '../../plan/optical/network/plan.ts';
import { prettyJson } from '../../report/json.ts';
import { renderOpticalNetworkText } from '../../report/plan/optical-network-text.ts';
import type { Io } from '../../wire/io.ts';
import { type ExitCode, exitCode } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { type PlanProgress, planProgress } from './progress.ts';
import { runSearch } from './search-run.ts';

/** `inferpath plan optical NETWORK`: own fibre, and the wavelengths that the traffic needs. */
export async function ofNetwork(
  file: string,
  { timeLimit, json }: { timeLimit?: number | undefined; json: boolean },
  io: Io,
): Promise<ExitCode> {
  const network = await loadPlannedNetwork(file, io);
  const progress = planProgress(io, timeLimit);
  const report = await opticalOf(network, planDemand(network), io, progress).finally(progress.end);
  io.terminal.out(json ? prettyJson(report) : renderOpticalNetworkText(report, io.terminal));
  if (report.ended === 'interrupted') return exitCode.interrupted;
  const short = !report.spectrum.fits || report.lightpaths.some(({ links, why }) => links.length > 0 && why !== '');
  return short ? exitCode.notReady : exitCode.ready;
}

/** Own fibre of a network file; the links and lightpaths so far when it is ended early. */
export async function opticalOf(
  network: Network,
  demand: PlanDemand,
  io: Io,
  progress: PlanProgress,
): Promise<OpticalNetworkReport> {
  const input = opticalInput(network, demand);
  const search = planOpticalNetwork(input);
  const { standing, stopped } = await runSearch(search, io, progress, ({ doing }) => `optical: ${doing}`);
  return opticalNetworkReport(network, input, standing, stopped);
}
