/**
 * CPU seconds of the placement searches on published cases: `npx tsx bench/placement/run.ts FOLDER`, where FOLDER has pmed/ and cflp/
 * of OR-Library with their optima. Reading and all distances are counted, the start of Node is not.
 */
import { readFileSync } from 'node:fs';
import { parseCflp } from '../../src/gather/topology/cflp.ts';
import { parsePmed } from '../../src/gather/topology/pmed.ts';
import { placeCapacitated } from '../../src/plan/placement/capacitated/search.ts';
import { placeCentre } from '../../src/plan/placement/centre.ts';
import { allDistances } from '../../src/plan/placement/distances.ts';
import { makePlacement } from '../../src/plan/placement/problem.ts';
import { placeSites } from '../../src/plan/placement/search.ts';
import { makeGraph } from '../../src/stats/graph/graph.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('name the folder that has pmed/ and cflp/');
const limitS = 10;

interface Standing {
  lowerBound: number;
  nodes: number;
}

/** Runs a search for at most ten CPU seconds; `cpuS` counts from `begin`. */
function timed<T extends Standing>(begin: NodeJS.CpuUsage, search: Generator<T, T>): { last: T; cpuS: number } {
  for (;;) {
    const { value, done } = search.next();
    const { user, system } = process.cpuUsage(begin);
    const cpuS = (user + system) / 1e6;
    if (done || cpuS > limitS) return { last: value, cpuS };
  }
}

function optima(file: string): [name: string, optimum: number][] {
  const [, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/)).map(([name, value]) => [name!, Number(value)]);
}

function report(name: string, optimum: number, total: number, { last, cpuS }: { last: Standing; cpuS: number }): void {
  const gap = total > 0 ? (100 * (total - last.lowerBound)) / total : 0;
  const verdict = Math.abs(total - optimum) < 1e-2 && gap < 1e-6 ? 'proven' : `gap ${gap.toFixed(3)} %`;
  console.log(
    `${name.padEnd(16)} ${total.toFixed(2).padStart(12)} ${verdict.padEnd(12)} ${String(last.nodes).padStart(5)} parts ${cpuS.toFixed(2).padStart(6)} s`,
  );
}

function pmed(name: string) {
  const parsed = parsePmed(readFileSync(`${folder}/pmed/${name}.txt`, 'utf8'));
  if (!parsed.ok) throw new Error(`${name} cannot be read`);
  const { nodes, medians } = parsed.value;
  return { clients: nodes, sites: nodes, maxOpen: medians, cost: allDistances(makeGraph(parsed.value)) };
}

for (const [name, optimum] of optima(`${folder}/pmed/pmedopt.txt`)) {
  const begin = process.cpuUsage();
  const result = timed(begin, placeSites(makePlacement(pmed(name))));
  report(`${name} median`, optimum, result.last.total, result);
}
for (const [name, optimum] of optima(`${folder}/pmed/kcenter-optima.txt`)) {
  const begin = process.cpuUsage();
  const input = pmed(name);
  const result = timed(
    begin,
    placeCentre(makePlacement({ ...input, unserved: new Float64Array(input.clients).fill(Infinity) })),
  );
  report(`${name} centre`, optimum, result.last.radius, result);
}
for (const [name, optimum] of optima(`${folder}/cflp/optima.txt`)) {
  const begin = process.cpuUsage();
  const parsed = parseCflp(readFileSync(`${folder}/cflp/${name}.txt`, 'utf8'));
  if (!parsed.ok) throw new Error(`${name} cannot be read`);
  const result = timed(begin, placeCapacitated({ ...parsed.value, maxOpen: parsed.value.sites }));
  report(name, optimum, result.last.total, result);
}
