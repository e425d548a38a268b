// One case in a process of its own: node --import tsx bench/engineering/optimum.ts GRAPH DEMANDS
import { readFileSync } from 'node:fs';
import { parseRepetitaDemands, parseRepetitaGraph } from '../../src/gather/topology/repetita.ts';
import { fromRepetita } from '../../src/plan/engineering/from-repetita.ts';
import { minimiseMaxUtilisation } from '../../src/plan/engineering/minimise.ts';
import { startSolver } from '../../src/plan/milp/solver.ts';

const [graphFile = '', demandsFile = ''] = process.argv.slice(2);
const graph = parseRepetitaGraph(readFileSync(graphFile, 'utf8'));
if (!graph.ok) throw new Error(graph.mistakes[0]?.message);
const demands = parseRepetitaDemands(readFileSync(demandsFile, 'utf8'), graph.value.nodes.length);
if (!demands.ok) throw new Error(demands.mistakes[0]?.message);
const input = fromRepetita(graph.value, demands.value);
const solver = startSolver();
// CPU of all threads, the start of the solver (WebAssembly) included.
const before = process.cpuUsage();
const { maxUtilisation, lowerBound } = await minimiseMaxUtilisation(input.network, input.demands, { solver });
const { user, system } = process.cpuUsage(before);
await solver.close();
process.stdout.write(`${JSON.stringify({ maxUtilisation, lowerBound, cpuS: (user + system) / 1e6 })}\n`);
