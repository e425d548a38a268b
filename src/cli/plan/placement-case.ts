import { parseCflp } from '../../gather/topology/cflp.ts';
import { parsePmed } from '../../gather/topology/pmed.ts';
import type { PlacementCase } from '../../model/plan/placement.ts';
import { placeCapacitated } from '../../plan/placement/capacitated/search.ts';
import { placeCentre } from '../../plan/placement/centre.ts';
import { allDistances } from '../../plan/placement/distances.ts';
import { makePlacement } from '../../plan/placement/problem.ts';
import { placeSites } from '../../plan/placement/search.ts';
import { prettyJson } from '../../report/json.ts';
import { renderPlacementCase } from '../../report/plan/placement-text.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import type { Io } from '../../wire/io.ts';
import { type ExitCode, exitCode, UsageError } from '../command.ts';
import { parsedOrMistakes, readInput } from '../input-file.ts';
import { maxPlacementBytes } from './placement-files.ts';
import { planProgress } from './progress.ts';
import { runSearch } from './search-run.ts';

interface CaseFlags {
  json: boolean;
  timeLimit?: number | undefined;
}
type CaseFacts = Pick<PlacementCase, 'input' | 'file' | 'problem' | 'clients' | 'sites' | 'maxOpen'> & {
  notes: string[];
};

/** What a search knows, whatever it minimises. */
interface Known {
  open: Uint8Array;
  objective: number;
  lowerBound: number;
  nodes: number;
}

/** Solves a p-median case of OR-Library, or the p-centre problem on it, and prints what came of it. */
export async function placePmed(
  file: string,
  problem: 'median' | 'centre',
  flags: CaseFlags,
  io: Io,
): Promise<ExitCode> {
  const { value, notes } = parsedOrMistakes(file, parsePmed(await readInput(file, maxPlacementBytes, io)));
  const { nodes, medians: maxOpen } = value;
  const cost = allDistances(makeGraph(value));
  if (cost.includes(Infinity))
    throw new UsageError(`${file}: found nodes that no path joins; allowed: a connected graph`);
  const sizes = { clients: nodes, sites: nodes, maxOpen };
  const search =
    problem === 'median'
      ? known(placeSites(makePlacement({ ...sizes, cost })), ({ total }) => total)
      : known(
          placeCentre(makePlacement({ ...sizes, cost, unserved: new Float64Array(nodes).fill(Infinity) })),
          ({ radius }) => radius,
        );
  return solveCase(search, { input: 'pmed', file, problem, ...sizes, notes }, flags, io);
}

/** Solves a capacitated warehouse case of OR-Library, and prints what came of it. */
export async function placeCflp(
  file: string,
  capacity: number | undefined,
  flags: CaseFlags,
  io: Io,
): Promise<ExitCode> {
  const { value, notes } = parsedOrMistakes(file, parseCflp(await readInput(file, maxPlacementBytes, io), capacity));
  const { sites, clients } = value;
  const search = known(placeCapacitated({ ...value, maxOpen: sites }), ({ total }) => total);
  const facts = { input: 'cflp', problem: 'capacitated', file, clients, sites, maxOpen: null, notes } as const;
  return solveCase(search, facts, flags, io);
}

/** The same search, told in one way. */
function* known<T extends Omit<Known, 'objective'>>(
  search: Generator<T, T>,
  objective: (standing: T) => number,
): Generator<Known, Known> {
  for (;;) {
    const { value, done } = search.next();
    const { open, lowerBound, nodes } = value;
    const one = { open, objective: objective(value), lowerBound, nodes };
    if (done) return one;
    yield one;
  }
}

async function solveCase(
  search: Generator<Known, Known>,
  facts: CaseFacts,
  flags: CaseFlags,
  io: Io,
): Promise<ExitCode> {
  const beganMs = io.clock.monoMs();
  const progress = planProgress(io, flags.timeLimit);
  try {
    const { standing, stopped } = await runSearch(search, io, progress, progressWords);
    progress.end();
    const { objective, lowerBound } = standing;
    const document: PlacementCase = {
      schema: 'inferpath/plan-placement@1',
      ...facts,
      objective: objective < Infinity ? objective : null,
      lowerBound: Math.max(0, lowerBound),
      gap: objective < Infinity ? gapOf(objective, lowerBound) : null,
      proven: objective <= lowerBound,
      stopped,
      open: openNumbers(standing.open, facts.maxOpen ?? 0),
      nodesSearched: standing.nodes,
      seconds: (io.clock.monoMs() - beganMs) / 1000,
    };
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(document) : renderPlacementCase(document, { columns, colors }));
    return stopped === 'interrupted' ? exitCode.interrupted : exitCode.ready;
  } finally {
    progress.end();
  }
}

function progressWords({ objective, lowerBound, nodes }: Known): string {
  if (!(lowerBound > 0 && objective < Infinity)) return 'first answer';
  return `${objective} found, ${lowerBound} at least: gap ${(gapOf(objective, lowerBound) * 100).toPrecision(2)} %, ${nodes} parts`;
}

/** Costs are never negative, so a bound below 0 says no more than 0. */
function gapOf(objective: number, lowerBound: number): number {
  return objective <= lowerBound ? 0 : (objective - Math.max(0, lowerBound)) / objective;
}

/** Numbers from 1. Where fewer than `count` are open because more help nobody, the first closed ones make up the number. */
function openNumbers(open: Uint8Array, count: number): number[] {
  const all = [...open.keys()];
  const chosen = all.filter((s) => open[s]);
  const others = all.filter((s) => !open[s]).slice(0, Math.max(0, count - chosen.length));
  return [...chosen, ...others].sort((a, b) => a - b).map((s) => s + 1);
}
