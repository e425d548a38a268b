import type { RedundancyReport } from '../../model/plan/redundancy.ts';
import { printable } from '../../model/outcome.ts';
import { riskNetworkOfMap } from '../../plan/redundancy/from-map.ts';
import { redundancyInput, type RedundancyInput, planRedundancy } from '../../plan/redundancy/redundancy.ts';
import { withOnly } from '../../plan/redundancy/services.ts';
import { startSolver } from '../../plan/milp/solver.ts';
import { prettyJson } from '../../report/json.ts';
import { renderRedundancyText } from '../../report/plan/redundancy-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { nearest } from '../suggest.ts';
import { loadMap } from './failures.ts';
import { planFile, planFlags } from './flags.ts';
import { planProgress } from './progress.ts';

const flags = {
  json: planFlags.json,
  timeLimit: planFlags.timeLimit,
  from: planFlags.from,
  to: planFlags.to,
  graphml: planFlags.graphml,
} as const;

export const planRedundancyAction = defineAction({
  about:
    'Which two paths share no link, node, risk group, carrier or site, or the proof that there are none; what alone cuts a service off; ' +
    'how available every endpoint is, exactly; and which single change buys most.',
  positionals: planFile,
  flags,
  examples: [
    { line: 'inferpath plan redundancy network.yaml', about: 'every endpoint from every site of users' },
    { line: 'inferpath plan redundancy network.yaml --from paris --to chat-eu', about: 'one service, with its paths' },
    {
      line: 'inferpath plan redundancy --graphml Geant2012.graphml --from PT --to FI',
      about: 'two nodes of a map of the Topology Zoo',
    },
  ],
  run: async ({ flags, positionals: [file], io }) => answer(await inputOf(file, flags, io), flags, io),
});

type Flags = FlagValues<typeof flags>;

async function inputOf(file: string | undefined, { from, to, graphml }: Flags, io: Io): Promise<RedundancyInput> {
  if ((file === undefined) === (graphml === undefined))
    throw new UsageError('found neither a network file nor --graphml, or both; allowed: one of the two');
  if ((from === undefined) !== (to === undefined))
    throw new UsageError('found one of --from and --to; allowed: both or none');
  if (graphml !== undefined) return ofMap(graphml, from, to, io);
  const network = await loadPlannedNetwork(file!, io);
  const input = redundancyInput(network, file!);
  if (from === undefined || to === undefined) return input;
  const only = withOnly(network, from, to);
  if ('mistake' in only) throw new UsageError(only.mistake);
  return { ...input, services: [only] };
}

/** Cable over great circle where a map gives only places. */
const routeFactor = 1.5;

async function ofMap(path: string, from: string | undefined, to: string | undefined, io: Io): Promise<RedundancyInput> {
  if (from === undefined || to === undefined)
    throw new UsageError('--graphml: found neither --from nor --to; allowed: both');
  const { net, notes } = riskNetworkOfMap(await loadMap(path, io), routeFactor);
  const names = net.nodes.map(({ name }) => name);
  for (const [flag, name] of [
    ['--from', from],
    ['--to', to],
  ] as const) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    const hint = meant ? `; did you mean "${meant}"?` : '';
    throw new UsageError(`${flag}: found ${JSON.stringify(printable(name, 80))}; allowed: a node of the map${hint}`);
  }
  if (from === to) throw new UsageError('--to: found the same as --from; allowed: another node');
  const service = { from, to, servedFrom: [to], countsSite: false, target: null, users: 1 };
  return { source: path, net, services: [service], offered: [], notes };
}

async function answer(input: RedundancyInput, { json, timeLimit }: Flags, io: Io): Promise<ExitCode> {
  const solver = startSolver();
  const progress = planProgress(io, timeLimit);
  try {
    const report = await planRedundancy(input, { solver, signal: progress.signal, pause: progress.pause });
    progress.end();
    const { columns, colors } = io.terminal;
    io.terminal.out(json ? prettyJson(report) : renderRedundancyText(report, { columns, colors }));
    return io.signals.interrupted.aborted ? exitCode.interrupted : codeOf(report);
  } finally {
    progress.end();
    await solver.close();
  }
}

function codeOf({ findings, interrupted }: RedundancyReport): ExitCode {
  if (findings.some(({ verdict }) => verdict === 'fail')) return exitCode.notReady;
  return interrupted || findings.some(({ verdict }) => verdict === 'unknown')
    ? exitCode.couldNotMeasure
    : exitCode.ready;
}
