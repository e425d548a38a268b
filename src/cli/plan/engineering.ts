import * as z from 'zod';
import { parseRepetitaDemands, parseRepetitaGraph } from '../../gather/topology/repetita.ts';
import { parseSndlib } from '../../gather/topology/sndlib.ts';
import { printable } from '../../model/outcome.ts';
import { planDemand } from '../../plan/demand/demand.ts';
import type { EngineeringInput } from '../../plan/engineering/analyse.ts';
import { fromNetwork } from '../../plan/engineering/from-network.ts';
import { fromRepetita } from '../../plan/engineering/from-repetita.ts';
import { fromSndlib } from '../../plan/engineering/from-sndlib.ts';
import { engineeringReportOf, type EngineeringSource } from '../../plan/engineering/report.ts';
import { measuredOf } from '../../plan/measured.ts';
import { startSolver } from '../../plan/milp/solver.ts';
import { prettyJson } from '../../report/json.ts';
import { renderEngineeringText } from '../../report/plan/engineering-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { parsedOrMistakes, readInput } from '../input-file.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planFlags } from './flags.ts';
import { readObservations } from './observations.ts';
import { planProgress } from './progress.ts';

/** The largest public graph has 400 kB, the largest public traffic matrix 16 MB. */
const maxBytes = 256 * 1024 * 1024;

const flags = {
  json: planFlags.json,
  timeLimit: planFlags.timeLimit,
  observations: planFlags.observations,
  repetita: {
    schema: z.string().min(1).optional(),
    about: 'Graph of REPETITA; its file of demands is the argument.',
    value: 'GRAPH',
    group: 'Other files',
  },
  sndlib: {
    schema: z.string().min(1).optional(),
    about: 'Network of SNDlib, native format, in place of a network file.',
    value: 'FILE',
    group: 'Other files',
  },
  shared: {
    schema: z.boolean().default(false),
    about: 'For --sndlib: both directions of a link share its capacity; default: each has it.',
    group: 'Other files',
  },
  load: {
    schema: z.enum(['mean', 'busyHour', 'p99']).default('p99'),
    about: 'Which load of the pairs of sites has to fit: mean, busyHour or p99; default p99.',
    value: 'LOAD',
  },
  limit: {
    schema: z.coerce.number().positive().max(1).optional(),
    about: 'Share of a link that may be used; default: planning.maxUtilisation of the file, else 0.8.',
    value: 'SHARE',
  },
  growth: {
    schema: z.coerce.number().min(-0.9).max(20).optional(),
    about: 'Growth of demand a year, 0.4 is 40 %; default: planning.growthPerYear of the file, else 0.4.',
    value: 'SHARE',
  },
  years: {
    schema: z.coerce.number().int().min(0).max(20).optional(),
    about: 'Years to look ahead; default: planning.years of the file, else 3.',
    value: 'N',
  },
  failures: {
    schema: z.boolean().default(true),
    about: 'Look at every single failure as well; the default.',
  },
  optimiseWeights: {
    schema: z.boolean().default(false),
    about: 'Also look for link weights (OSPF, IS-IS) that keep the largest utilisation low, by local search.',
  },
  bestAfterFailures: {
    schema: z.boolean().optional(),
    about: 'Also the best routing after every failure; default: where that takes seconds.',
  },
};

type Flags = FlagValues<typeof flags>;

export const planEngineering = defineAction({
  about:
    'How full every link is, with routing as given and as it could be at best (proved), after every single failure, and year by year ' +
    'under growth; which links to widen first.',
  positionals: { name: 'file', about: 'the network file; for --repetita the file of demands', min: 0, max: 1 },
  flags,
  examples: [
    {
      line: 'inferpath plan engineering network.yaml --years 5',
      about: 'which link is full when, and what comes first',
    },
    {
      line: 'inferpath plan engineering network.yaml --observations throughput.json',
      about: 'the same with capacities and round trips that were measured',
    },
    {
      line: 'inferpath plan engineering --repetita Abilene.graph Abilene.0000.demands',
      about: 'least possible utilisation, and what shortest paths make of it',
    },
    {
      line: 'inferpath plan engineering network.yaml --optimise-weights --time-limit 20',
      about: 'which link weights spread the traffic, before anything is bought',
    },
    {
      line: 'inferpath plan engineering --sndlib polska.txt --years 0',
      about: 'modules to buy for a network of SNDlib',
    },
  ],
  run: ({ flags, positionals, io }) => run(flags, positionals, io),
});

interface Loaded {
  input: EngineeringInput;
  source: EngineeringSource;
}

async function run(flags: Flags, positionals: string[], io: Io): Promise<ExitCode> {
  const { input, source } = await load(flags, positionals, io);
  const solver = startSolver();
  const progress = planProgress(io, flags.timeLimit);
  try {
    const asked: EngineeringInput = {
      ...input,
      failures: flags.failures ? input.failures : [],
      limit: flags.limit ?? input.limit,
      growthPerYear: flags.growth ?? input.growthPerYear,
      years: flags.years ?? input.years,
    };
    const report = await engineeringReportOf(asked, source, {
      solver,
      signal: progress.signal,
      bestAfterFailures: flags.bestAfterFailures,
      optimiseWeights: flags.optimiseWeights,
      onProgress: progress.show,
    });
    progress.end();
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(report) : renderEngineeringText(report, { columns, colors }));
    return io.signals.interrupted.aborted ? exitCode.interrupted : exitCode.ready;
  } finally {
    progress.end();
    await solver.close();
  }
}

async function load(flags: Flags, positionals: string[], io: Io): Promise<Loaded> {
  const [file] = positionals;
  const { repetita, sndlib } = flags;
  if (repetita !== undefined && sndlib !== undefined)
    throw new UsageError('--repetita, --sndlib: found both; allowed: one of them');
  if (repetita !== undefined) return loadRepetita(repetita, file, io);
  if (sndlib !== undefined) {
    if (file !== undefined)
      throw new UsageError(`file: found "${printable(file, 300)}" beside --sndlib; allowed: one of them`);
    return loadSndlib(sndlib, flags.shared, io);
  }
  if (file === undefined) throw new UsageError('file: is required; allowed: a network file, or --repetita or --sndlib');
  return loadNetwork(file, flags, io);
}

async function loadNetwork(file: string, flags: Flags, io: Io): Promise<Loaded> {
  const network = await loadPlannedNetwork(file, io);
  const observations = await readObservations(flags.observations, io);
  if (network.links.length === 0)
    throw new UsageError(
      `${printable(file, 300)}: links is empty`,
      'what links are is told in docs/network-file.md; inferpath import topology reads other files',
    );
  const demand = planDemand(network, 0, observations);
  const { notes, capacities, ...input } = fromNetwork(network, flags.load, demand, measuredOf(network, observations));
  return { input, source: { kind: 'network', files: [file], unit: 'Gbit/s', notes, capacities } };
}

const defaults = { limit: 0.8, growthPerYear: 0.4, years: 3 };
const assumedDefaults = 'limit 80 %, growth 40 % a year and 3 years are assumed where no flag says otherwise';

async function loadRepetita(graphFile: string, demandsFile: string | undefined, io: Io): Promise<Loaded> {
  if (demandsFile === undefined)
    throw new UsageError(
      'file: is required; allowed: the file of demands',
      'plan engineering --repetita GRAPH DEMANDS',
    );
  const graph = parsedOrMistakes(graphFile, parseRepetitaGraph(await readInput(graphFile, maxBytes, io)));
  const demands = parsedOrMistakes(
    demandsFile,
    parseRepetitaDemands(await readInput(demandsFile, maxBytes, io), graph.value.nodes.length),
  );
  const { notes, ...core } = fromRepetita(graph.value, demands.value);
  const source: EngineeringSource = {
    kind: 'repetita',
    files: [graphFile, demandsFile],
    unit: 'units',
    notes: [
      ...graph.notes,
      ...demands.notes,
      ...notes,
      'the format names no unit of capacities and demands',
      assumedDefaults,
    ],
  };
  return { input: { ...core, ...defaults }, source };
}

async function loadSndlib(file: string, isShared: boolean, io: Io): Promise<Loaded> {
  const network = parsedOrMistakes(file, parseSndlib(await readInput(file, maxBytes, io)));
  const { notes, ...core } = fromSndlib(network.value, isShared ? 'shared' : 'each');
  const source: EngineeringSource = {
    kind: 'sndlib',
    files: [file],
    unit: printable(network.value.meta['unit'] ?? 'units', 40),
    notes: [...network.notes, ...notes, assumedDefaults],
    sndlib: network.value,
  };
  return { input: { ...core, ...defaults }, source };
}
