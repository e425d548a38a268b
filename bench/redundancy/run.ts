// Disjoint pairs on maps of the Topology Zoo: how long each takes, and by what it was found. See README.md.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseGraphml } from '../../src/gather/topology/graphml.ts';
import { startSolver } from '../../src/plan/milp/solver.ts';
import { drawnDucts, drawnPairs } from '../../src/plan/redundancy/ducts.case.ts';
import { riskNetworkOfMap } from '../../src/plan/redundancy/from-map.ts';
import { pairQuestion } from '../../src/plan/redundancy/pair-question.ts';
import { findPair } from '../../src/plan/redundancy/pairs.ts';
import { downtimeOf } from '../../src/plan/redundancy/reachability.ts';
import { riskMapOf } from '../../src/plan/redundancy/risk-network.ts';
import { serviceQuestion } from '../../src/plan/redundancy/service.ts';
import { sharedData } from '../../test/shared-data.ts';

const folder = sharedData('planning/topologyzoo/graphml');
if (folder === null) throw new Error('the maps of the Topology Zoo are not here: shared/data/planning/topologyzoo');
const solver = startSolver();
const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!;
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
console.log(
  '| map | ducts | found | none | unknown | by | median ms | worst ms | downtime, median ms | states dropped |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|');
for (const [name, ducts] of [
  ['Geant2012', 6],
  ['Geant2012', 16],
  ['Cogentco', 6],
  ['Cogentco', 16],
] as const) {
  const parsed = parseGraphml(readFileSync(`${folder}/${name}.graphml`, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.mistakes[0]!.message);
  const map = riskMapOf(riskNetworkOfMap(parsed.value, 1.5, drawnDucts(parsed.value, ducts, 3)).net);
  const pairs = drawnPairs(map.graph.nodes, 15, 4);
  const count: Record<string, number> = {};
  const add = (key: string) => (count[key] = (count[key] ?? 0) + 1);
  const [its, downs]: [number[], number[]] = [[], []];
  let open = 0;
  // The first question of each kind pays for compiling; it is asked twice.
  for (const [i, [from, to]] of [pairs[0]!, ...pairs].entries()) {
    const question = pairQuestion(map, from, to, ['group']);
    const began = performance.now();
    const answer = await findPair(question, { solver, timeLimitS: 30 });
    const took = performance.now() - began;
    const service = {
      from: map.nodeNames[from]!,
      to: '',
      servedFrom: [map.nodeNames[to]!],
      countsSite: false,
      target: null,
      users: 1,
    };
    const cpu = cpuMs();
    const { low, high } = downtimeOf(serviceQuestion(map, service));
    const down = cpuMs() - cpu;
    if (i === 0) continue;
    its.push(took);
    downs.push(down);
    if (high > low) open++;
    add(answer.status);
    add(answer.status === 'found' ? answer.by : answer.status === 'none' ? answer.because.kind : 'nothing');
  }
  const by = Object.entries(count)
    .filter(([key]) => !['found', 'none', 'unknown'].includes(key))
    .map(([key, n]) => `${n} ${key}`)
    .join(', ');
  console.log(
    `| ${name} | ${ducts} | ${count['found'] ?? 0} | ${count['none'] ?? 0} | ${count['unknown'] ?? 0} | ${by} | ${median(its).toFixed(2)} | ${Math.max(...its).toFixed(1)} | ${median(downs).toFixed(1)} | ${open} of 15 |`,
  );
}
await solver.close();
