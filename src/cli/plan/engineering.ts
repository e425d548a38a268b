import * as z from 'zod';
import { mistakeText, type Parsed } from '../../gather/topology/parsed.ts';
import { parseRepetitaDemands, parseRepetitaGraph } from '../../gather/topology/repetita.ts';
import { parseSndlib, type SndlibNetwork } from '../../gather/topology/sndlib.ts';
import type { EngineeringReport } from '../../model/plan/engineering.ts';
import { printable } from '../../model/outcome.ts';
import { analyse, type EngineeringInput } from '../../plan/engineering/analyse.ts';
import { engineeringChanges, engineeringFindings } from '../../plan/engineering/findings.ts';
import { fromRepetita } from '../../plan/engineering/from-repetita.ts';
import { fromSndlib } from '../../plan/engineering/from-sndlib.ts';
import { cheapestModules } from '../../plan/engineering/modules.ts';
import { startSolver, type Solver } from '../../plan/milp/solver.ts';
import { prettyJson } from '../../report/json.ts';
import { renderEngineeringText } from '../../report/plan/engineering-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { planFlags } from './flags.ts';
import { planProgress } from './progress.ts';

/** The largest public graph has 400 kB, the largest public traffic matrix 16 MB. */
const maxBytes = 256 * 1024 * 1024;

const flags = {
  json: planFlags.json,
  timeLimit: planFlags.timeLimit,
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
  positionals: { name: 'file', about: 'the file of demands for --repetita', min: 0, max: 1 },
  flags,
  examples: [
    {
      line: 'inferpath plan engineering --repetita Abilene.graph Abilene.0000.demands',
      about: 'least possible utilisation, and what shortest paths make of it',
    },
    {
      line: 'inferpath plan engineering --sndlib polska.txt --years 0',
      about: 'modules to buy for a network of SNDlib',
    },
  ],
  run: ({ flags, positionals, io }) => run(flags, positionals, io),
});

type Core = Omit<EngineeringInput, 'limit' | 'growthPerYear' | 'years'>;

interface Loaded {
  core: Core;
  source: Pick<EngineeringReport['source'], 'kind' | 'files' | 'unit'>;
  notes: string[];
  defaults: Pick<EngineeringInput, 'limit' | 'growthPerYear' | 'years'>;
  sndlib?: SndlibNetwork;
}

async function run(flags: Flags, positionals: string[], io: Io): Promise<ExitCode> {
  const loaded = await load(flags, positionals, io);
  const input: EngineeringInput = {
    ...loaded.core,
    failures: flags.failures ? loaded.core.failures : [],
    limit: flags.limit ?? loaded.defaults.limit,
    growthPerYear: flags.growth ?? loaded.defaults.growthPerYear,
    years: flags.years ?? loaded.defaults.years,
  };
  const solver = startSolver();
  const progress = planProgress(io, flags.timeLimit);
  try {
    const analysis = await analyse(input, {
      solver,
      signal: progress.signal,
      bestAfterFailures: flags.bestAfterFailures,
      onProgress: progress.show,
    });
    const { sndlib } = loaded;
    const report: EngineeringReport = {
      schema: 'inferpath/plan-engineering@1',
      source: { ...loaded.source, ...sizes(input) },
      ...analysis,
      modules: sndlib ? await buy(sndlib, input, analysis.links, solver, progress.signal) : null,
      notes: loaded.notes,
      findings: [],
      changes: [],
    };
    report.findings = engineeringFindings(report);
    report.changes = engineeringChanges(report);
    progress.end();
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(report) : renderEngineeringText(report, { columns, colors }));
    return io.signals.interrupted.aborted ? exitCode.interrupted : exitCode.ready;
  } finally {
    progress.end();
    await solver.close();
  }
}

function sizes({ network, demands }: EngineeringInput) {
  return {
    nodes: network.graph.nodes,
    links: network.links,
    demands: demands.volume.length,
    volume: demands.volume.reduce((sum, much) => sum + much, 0),
  };
}

async function load(flags: Flags, positionals: string[], io: Io): Promise<Loaded> {
  const [file] = positionals;
  if (flags.repetita !== undefined && flags.sndlib !== undefined)
    throw new UsageError('--repetita, --sndlib: found both; allowed: one of them');
  if (flags.repetita !== undefined) return loadRepetita(flags.repetita, file, io);
  if (flags.sndlib !== undefined && file === undefined) return loadSndlib(flags.sndlib, flags.shared, io);
  throw new UsageError(
    'found no --repetita GRAPH with a file of demands, and no --sndlib FILE alone; allowed: one of them',
  );
}

const defaults = { limit: 0.8, growthPerYear: 0.4, years: 3 };
const assumedDefaults = 'limit 80 %, growth 40 % a year and 3 years are assumed where no flag says otherwise';

async function loadRepetita(graphFile: string, demandsFile: string | undefined, io: Io): Promise<Loaded> {
  if (demandsFile === undefined)
    throw new UsageError(
      'file: is required; allowed: the file of demands',
      'plan engineering --repetita GRAPH DEMANDS',
    );
  const graph = parsed(graphFile, parseRepetitaGraph(await read(graphFile, io)));
  const demands = parsed(demandsFile, parseRepetitaDemands(await read(demandsFile, io), graph.value.nodes.length));
  const { notes, ...core } = fromRepetita(graph.value, demands.value);
  return {
    core,
    source: { kind: 'repetita', files: [graphFile, demandsFile], unit: 'units' },
    notes: [
      ...graph.notes,
      ...demands.notes,
      ...notes,
      'the format names no unit of capacities and demands',
      assumedDefaults,
    ],
    defaults,
  };
}

async function loadSndlib(file: string, isShared: boolean, io: Io): Promise<Loaded> {
  const network = parsed(file, parseSndlib(await read(file, io)));
  const { notes, ...core } = fromSndlib(network.value, isShared ? 'shared' : 'each');
  return {
    core,
    source: { kind: 'sndlib', files: [file], unit: printable(network.value.meta['unit'] ?? 'units', 40) },
    notes: [...network.notes, ...notes, assumedDefaults],
    defaults,
    sndlib: network.value,
  };
}

async function read(file: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(file, maxBytes);
  } catch (error) {
    throw new UsageError(
      `Cannot read "${printable(file, 300)}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws UsageError with every mistake of the file. */
function parsed<T>(file: string, result: Parsed<T>): { value: T; notes: string[] } {
  if (!result.ok) throw new UsageError(result.mistakes.map((one) => mistakeText(file, one)).join('\n'));
  return { value: result.value, notes: result.notes.map(({ line, message }) => `${file}:${line}: ${message}`) };
}

/** Modules for the loads of the routing as given: of the busier direction, or of both where they share. */
async function buy(
  file: SndlibNetwork,
  { network, limit }: EngineeringInput,
  links: EngineeringReport['links'],
  solver: Solver,
  signal: AbortSignal,
): Promise<EngineeringReport['modules']> {
  const load = new Map<string, number>();
  links.forEach(({ link, utilisation, capacity }) =>
    load.set(link, Math.max(load.get(link) ?? 0, utilisation * capacity)),
  );
  const offered = file.links.filter(({ name }) => load.has(name));
  const loads = offered.map(({ name }) => load.get(name)!);
  if (network.graph.links === 0) return null;
  return cheapestModules(
    offered,
    loads,
    loads.map((much) => much / limit),
    solver,
    signal,
  );
}
