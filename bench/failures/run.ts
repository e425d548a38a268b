/**
 * All single and double link failures of a map, all pairs: inferpath against NetworkX and SciPy, in CPU seconds, with checksums.
 * npx tsx bench/failures/run.ts MAP.graphml [PYTHON]   (PYTHON: an interpreter with networkx and scipy)
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseGraphml } from '../../src/gather/topology/graphml.ts';
import { studyOfMap } from '../../src/plan/failures/from-map.ts';
import { rank } from '../../src/plan/failures/rank.ts';
import { simulate } from '../../src/plan/failures/simulate.ts';
import { questionOf } from '../../src/plan/failures/study.ts';
import { processUse } from '../../src/wire/process-use.ts';

const [map = '', python = 'python3'] = process.argv.slice(2);
const parsed = parseGraphml(readFileSync(map, 'utf8'));
if (!parsed.ok) throw new Error(`Cannot read ${map}: ${parsed.mistakes[0]?.message}`);
// One link for each pair of places, the shortest: what NetworkX's Graph and a sparse matrix can hold.
const study = studyOfMap(parsed.value, { kinds: ['link'], routeFactor: 1, limitKm: null });
const seen = new Set<string>();
const simple = parsed.value.links.filter(({ from, to }) => {
  const pair = [Math.min(from, to), Math.max(from, to)].join(' ');
  if (from === to || seen.has(pair)) return false;
  seen.add(pair);
  return true;
});
const one = studyOfMap({ ...parsed.value, links: simple }, { kinds: ['link'], routeFactor: 1, limitKm: null });

for (const doubles of [false, true]) {
  const began = processUse().cpuSeconds;
  const question = questionOf(one, doubles);
  const { effects } = await simulate(question, one.sources, { threads: 0, isStopped: () => false });
  const { singles, doubles: pairs } = rank(effects, 20);
  const { cases, broken, extra } = pairs ?? singles;
  const cpuS = processUse().cpuSeconds - began;
  console.log(
    `inferpath ${doubles ? 'singles and doubles' : 'singles'}: ${cpuS.toFixed(2)} CPU s, ${cases} cases, ${broken} pairs without a path, ${extra} m longer`,
  );
}
console.log(`${study.graph.nodes} nodes, ${one.graph.links} links of ${study.graph.links}`);
const { graph } = one;
const input = JSON.stringify({
  nodes: graph.nodes,
  links: Array.from({ length: graph.links }, (_, l) => [graph.from[l], graph.to[l], graph.length[l]]),
});
process.stdout.write(
  execFileSync(python, [new URL('peers.py', import.meta.url).pathname], { input, encoding: 'utf8' }),
);
