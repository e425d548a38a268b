import { availableParallelism, constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod';
import { type TopologyMap, parseGraphml } from '../../gather/topology/graphml.ts';
import { printable } from '../../model/outcome.ts';
import {
  type DemandsReport,
  elementKinds,
  type FailuresEstimate,
  type FailuresReport,
} from '../../model/plan/failures.ts';
import { planDemand } from '../../plan/demand/demand.ts';
import { checkpointText, readCheckpoint } from '../../plan/failures/checkpoint.ts';
import { caseCount, effectsBytes } from '../../plan/failures/effects.ts';
import { failuresFindings } from '../../plan/failures/findings.ts';
import { studyOfMap } from '../../plan/failures/from-map.ts';
import { studyOfNetwork } from '../../plan/failures/from-network.ts';
import { simulate, type Simulation } from '../../plan/failures/simulate.ts';
import { singlePoints } from '../../plan/failures/single-points.ts';
import type { Question } from '../../plan/failures/source.ts';
import { countsByKind, pairsReport, questionOf, type Study } from '../../plan/failures/study.ts';
import type { Traffic } from '../../plan/failures/traffic.ts';
import { trafficCases } from '../../plan/failures/traffic-cases.ts';
import { measuredOf } from '../../plan/measured.ts';
import { prettyJson } from '../../report/json.ts';
import { renderEstimateText, renderFailuresText } from '../../report/plan/failures-text.ts';
import type { Io } from '../../wire/io.ts';
import { processUse } from '../../wire/process-use.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { parsedOrMistakes, readInput } from '../input-file.ts';
import { nearest } from '../suggest.ts';
import { planFile, planFlags } from './flags.ts';
import { readObservations } from './observations.ts';
import { counter, type PlanProgress, planProgress } from './progress.ts';

const flags = {
  graphml: planFlags.graphml,
  doubles: {
    schema: z.boolean().optional(),
    about: 'Every two failures at once as well; default: for a network file yes, for a map no.',
  },
  of: {
    schema: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(elementKinds)).min(1))
      .optional(),
    about: `What fails, of ${elementKinds.join(',')}; default: all that the network file has, link for a map.`,
    value: 'KINDS',
  },
  source: {
    schema: z.array(z.string().min(1)).optional(),
    about: 'Only paths from here; may be given several times; default: from everywhere.',
    value: 'NAME',
    repeated: true,
  },
  limitKm: {
    schema: z.coerce.number().positive().max(1e6).optional(),
    about: 'Longest path that is still good, km; pairs beyond it are counted.',
    value: 'KM',
    group: 'Map',
  },
  routeFactor: {
    schema: z.coerce.number().min(1).max(10).default(1.5),
    about: 'Length of a cable per great circle between its ends; default 1.5, which is a guess.',
    value: 'FACTOR',
    group: 'Map',
  },
  estimate: {
    schema: z.boolean().default(false),
    about:
      'Only say how long it would take, from a sample of two seconds, and which links and nodes alone cut pairs off.',
    group: 'Long searches',
  },
  checkpoint: {
    schema: z.string().min(1).optional(),
    about: 'Save what is done into this file every ten seconds and at the end; go on from it if it is there.',
    value: 'FILE',
    group: 'Long searches',
  },
  background: {
    schema: z.boolean().default(false),
    about: 'Take only what time of the processors others leave (lowest priority).',
    group: 'Long searches',
  },
  observations: planFlags.observations,
  workers: planFlags.workers,
  timeLimit: planFlags.timeLimit,
  json: planFlags.json,
} as const;

type Flags = FlagValues<typeof flags>;

/** `inferpath plan failures`: every single and every double failure. */
export const planFailures = defineAction({
  about:
    'What breaks when something fails: every single failure and every two at once, of links, devices, risk groups, carriers and sites. ' +
    'Who is cut off, whose path grows and by how much; the worst by name, and those pairs that break together what neither breaks alone.',
  positionals: planFile,
  flags,
  examples: [
    { line: 'inferpath plan failures network.yaml', about: 'every one and every two failures, demands rerouted' },
    { line: 'inferpath plan failures --graphml Cogentco.graphml --doubles', about: 'all pairs of links of a map' },
    {
      line: 'inferpath plan failures --graphml Kdl.graphml --doubles --background --checkpoint kdl.json > kdl.txt &',
      about: 'a long search that can be ended and gone on with',
    },
    { line: 'inferpath plan failures --graphml Kdl.graphml --doubles --estimate', about: 'how long would it take?' },
  ],
  async run({ flags, positionals: [file], io }) {
    if ((file === undefined) === (flags.graphml === undefined))
      throw new UsageError(
        `Found ${file === undefined ? 'neither a network file nor --graphml' : 'both a network file and --graphml'}; allowed: one of the two`,
      );
    if (file !== undefined) {
      const network = await loadPlannedNetwork(file, io);
      const observations = await readObservations(flags.observations, io);
      const demand = planDemand(network, 0, observations);
      const { study, traffic } = studyOfNetwork(network, flags.of, demand, measuredOf(network, observations));
      return run({ study: fromSources(study, flags.source), traffic, doubles: flags.doubles ?? true, flags, io });
    }
    const { of: kinds = ['link'], routeFactor, limitKm = null } = flags;
    const study = studyOfMap(await loadMap(flags.graphml!, io), { kinds, routeFactor, limitKm });
    return run({ study: fromSources(study, flags.source), traffic: null, doubles: flags.doubles ?? false, flags, io });
  },
});

interface Task {
  study: Study;
  /** Null for a map. */
  traffic: Traffic | null;
  doubles: boolean;
  flags: Partial<Pick<Flags, 'workers' | 'background' | 'checkpoint'>>;
  io: Io;
  progress: PlanProgress;
}

/** The study with paths from the named places only. */
function fromSources(study: Study, names: readonly string[] | undefined): Study {
  if (!names) return study;
  const unknown = names.filter((name) => !study.nodeNames.includes(name));
  if (unknown.length === 0) return { ...study, sources: names.map((name) => study.nodeNames.indexOf(name)) };
  const mistakes = unknown.map((name) => {
    const meant = nearest(name, study.nodeNames);
    return `--source: found ${JSON.stringify(printable(name, 80))}, which is no node${meant ? `; did you mean ${JSON.stringify(meant)}?` : ''}`;
  });
  throw new UsageError(mistakes.join('\n'));
}

async function run(task: Omit<Task, 'progress'> & { flags: Flags }): Promise<ExitCode> {
  const { study, doubles, flags, io } = task;
  if (flags.estimate) {
    checkSize(study, doubles);
    const question = questionOf(study, doubles);
    return estimate(study, question, threadsFor(question, study.sources.length, flags.workers), flags, io);
  }
  const progress = planProgress(io, flags.timeLimit);
  const report = await failuresOf({ ...task, progress }).finally(progress.end);
  io.terminal.out(flags.json ? prettyJson(report) : renderFailuresText(report, io.terminal));
  return report.ended === 'interrupted' ? exitCode.interrupted : exitCode.ready;
}

/** Works the failures out; the best so far when it is ended early. */
export async function failuresOf(task: Task): Promise<FailuresReport> {
  const { study, doubles, flags, io, progress } = task;
  const question = questionOf(study, doubles);
  checkSize(study, doubles);
  const threads = threadsFor(question, study.sources.length, flags.workers);
  const beganMs = io.clock.monoMs();
  const { interrupted } = io.signals;
  const isStopped = () => progress.signal.aborted;
  if (flags.background) setPriority(constants.priority.PRIORITY_LOW);
  const before = flags.checkpoint === undefined ? null : await begun(flags.checkpoint, question, study, io);
  const save = async (state: Simulation) =>
    io.fs.writePrivate(resolve(io.cwd, flags.checkpoint!), checkpointText(question, state));
  const count = counter('sources', io);
  const simulation = await simulate(question, study.sources, {
    threads,
    isStopped,
    progress: (done, total) => progress.show(count(done, total)),
    ...(before ? { before } : {}),
    ...(flags.checkpoint === undefined ? {} : { keep: { everyMs: saveMs, save, nowMs: io.clock.monoMs } }),
  });
  if (flags.checkpoint !== undefined) await save(simulation);
  const demands = task.traffic && (await rerouted(task, task.traffic));
  const pairs = pairsReport(study, question, simulation);
  const doneShare = Math.min(
    study.sources.length === 0 ? 1 : simulation.done.length / study.sources.length,
    demands ? demandsDone(demands, study, doubles) : 1,
  );
  return {
    schema: 'inferpath/plan-failures@1',
    network: {
      name: study.name,
      nodes: study.graph.nodes,
      links: study.graph.links,
      elements: countsByKind(study.elements),
    },
    pairs,
    demands,
    findings: demands && doneShare === 1 ? failuresFindings(demands, pairs) : [],
    ended: doneShare === 1 ? 'complete' : interrupted.aborted ? 'interrupted' : 'time limit',
    doneShare,
    threads,
    elapsedS: (io.clock.monoMs() - beganMs) / 1000,
  };
}

const saveMs = 10_000;
/** Largest checkpoint: its text has to fit into one string. */
const maxSavedBytes = 256e6;

/** What the checkpoint holds; null where there is none yet. */
async function begun(path: string, question: Question, { sources }: Study, io: Io): Promise<Simulation | null> {
  const place = resolve(io.cwd, path);
  if (effectsBytes(question.table.count, question.doubles) > maxSavedBytes)
    throw new UsageError(
      `Cannot keep a checkpoint of more than ${maxSavedBytes / 1e6} MB`,
      'leave --checkpoint away, or look at less',
    );
  if (!(await io.fs.exists(place))) return null;
  const read = readCheckpoint(await io.fs.readText(place, 2 * maxSavedBytes), question, sources);
  if ('error' in read)
    throw new UsageError(
      `Cannot go on from "${printable(path)}": it ${read.error}`,
      'remove the file, or name another',
    );
  return read;
}

/** Every failure with the demands rerouted, a turn of the event loop between the rows. */
async function rerouted(
  { study, doubles, io, progress: { signal, pause } }: Task,
  traffic: Traffic,
): Promise<DemandsReport> {
  const count = counter('cases with demands', io);
  const total = caseCount(study.elements.length, doubles);
  const cases = trafficCases(traffic, study.elements, study.nodeNames, doubles);
  for (let step = cases.next(); ; step = cases.next(signal.aborted)) {
    if (step.done) return step.value;
    await pause(count(step.value, total));
  }
}

function demandsDone({ singles, doubles: pairs }: DemandsReport, { elements }: Study, doubles: boolean): number {
  const total = caseCount(elements.length, doubles);
  return total === 0 ? 1 : (singles.cases + (pairs?.cases ?? 0)) / total;
}

/** Time of two seconds of work, times what is left. */
async function estimate(study: Study, question: Question, threads: number, flags: Flags, io: Io): Promise<ExitCode> {
  const beganMs = io.clock.monoMs();
  const isStopped = () => io.clock.monoMs() - beganMs > 2000 || io.signals.interrupted.aborted;
  // Processor time, for the machine may be busy with other things; from the second source on, for the first one warms up.
  const marks: number[] = [];
  const progress = () => void marks.push(processUse().cpuSeconds);
  const { done } = await simulate(question, study.sources, { threads: 0, isStopped, progress });
  if (done.length === 0) return exitCode.interrupted;
  const perSource =
    marks.length > 1 ? (marks.at(-1)! - marks[0]!) / (marks.length - 1) : (io.clock.monoMs() - beganMs) / 1000;
  const cpuS = perSource * study.sources.length;
  const report: FailuresEstimate = {
    schema: 'inferpath/plan-failures-estimate@1',
    cases: caseCount(question.table.count, question.doubles),
    sources: study.sources.length,
    sampled: done.length,
    cpuS,
    threads: Math.max(1, threads),
    elapsedS: cpuS / Math.max(1, threads),
    memoryBytes: effectsBytes(question.table.count, question.doubles) * (threads + 1),
    singlePoints: singlePoints(study),
  };
  io.terminal.out(flags.json ? prettyJson(report) : renderEstimateText(report));
  return exitCode.ready;
}

/** What is done in a tenth of a second needs no thread: starting one takes as long. */
function threadsFor({ table, doubles }: Question, sources: number, asked: number | undefined): number {
  const small = sources * table.count < (doubles ? 5000 : 100_000);
  if (asked !== undefined) return asked === 1 || small ? 0 : asked;
  return small ? 0 : availableParallelism() < 2 ? 0 : availableParallelism();
}

/** Counts of all cases, per thread. */
const maxBytes = 512e6;

function checkSize({ elements }: Study, doubles: boolean): void {
  const bytes = effectsBytes(elements.length, doubles);
  if (bytes <= maxBytes) return;
  const cases = caseCount(elements.length, doubles).toLocaleString('en');
  throw new UsageError(
    `Cannot count ${cases} failures of ${elements.length} elements: they need ${Math.round(bytes / 1e6)} MB a thread, at most ${maxBytes / 1e6} are used`,
    '--no-doubles looks at single failures only, --of at fewer kinds of elements',
  );
}

const maxMapBytes = 64 * 1024 * 1024;

/** A map of the Topology Zoo, or the mistakes in it. */
export async function loadMap(path: string, io: Io): Promise<TopologyMap> {
  const text = await readInput(path, maxMapBytes, io);
  return parsedOrMistakes(path, parseGraphml(text), 'GraphML as the Internet Topology Zoo writes it').value;
}
