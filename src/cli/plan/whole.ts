import * as z from 'zod';
import type { PlanReport } from '../../model/plan/plan.ts';
import { inventoryOf } from '../../plan/inventory.ts';
import { rankChanges, rankFindings } from '../../plan/rank.ts';
import { prettyJson } from '../../report/json.ts';
import { renderPlanHtml } from '../../report/plan/html.ts';
import { renderPlanText } from '../../report/plan/plan-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { version } from '../version.ts';
import { writeReport } from '../write-report.ts';
import { planFlags } from './flags.ts';
import { readObservations } from './observations.ts';
import { computeParts, proposalsOf } from './parts.ts';
import { planProgress } from './progress.ts';

const flags = {
  html: {
    schema: z.string().min(1).optional(),
    about: 'Also write the plan as one HTML page with map and charts; nothing in it is loaded from elsewhere.',
    value: 'FILE',
  },
  observations: planFlags.observations,
  timeLimit: planFlags.timeLimit,
  json: planFlags.json,
} as const;

type Flags = FlagValues<typeof flags>;

/** `inferpath plan network.yaml`: every part, one verdict, the changes that buy most first. */
export const wholePlan = defineAction({
  about: 'All parts that the file has something for, with the changes that buy most.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 1, max: 1 },
  flags,
  examples: [
    { line: 'inferpath plan network.yaml', about: 'the whole plan' },
    { line: 'inferpath plan network.yaml --html plan.html', about: 'the same as a page with map and charts' },
  ],
  run: ({ flags, positionals: [file = ''], io }) => run(file, flags, io),
});

async function run(file: string, flags: Flags, io: Io): Promise<ExitCode> {
  const network = await loadPlannedNetwork(file, io);
  const beganMs = io.clock.monoMs();
  const progress = planProgress(io, flags.timeLimit);
  const observations = await readObservations(flags.observations, io);
  const { parts, skipped } = await computeParts({ network, file, observations, progress, io }).finally(progress.end);
  const proposals = proposalsOf(parts);
  const findings = rankFindings(proposals.flatMap((part) => part.findings));
  const verdicts = findings.map(({ verdict }) => verdict);
  const report: PlanReport = {
    schema: 'inferpath/plan@1',
    version,
    file,
    ready: verdicts.includes('fail') ? 'fail' : verdicts.includes('unknown') ? 'unknown' : 'pass',
    interrupted: io.signals.interrupted.aborted,
    network: inventoryOf(network),
    findings,
    changes: rankChanges(proposals),
    parts,
    skipped,
    durationMs: io.clock.monoMs() - beganMs,
  };
  io.terminal.out(flags.json ? prettyJson(report) : renderPlanText(report, io.terminal));
  if (flags.html !== undefined) await writeReport(flags.html, renderPlanHtml(report, network), io);
  if (report.interrupted) return exitCode.interrupted;
  return report.ready === 'fail' ? exitCode.notReady : exitCode.ready;
}
