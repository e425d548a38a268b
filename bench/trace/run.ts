/**
 * Who tells the truth about paths? Tools trace networks whose truth is declared and proven (test/scenarios), each run in a fresh
 * lab with the seed of the run, so that balancers choose otherwise every time and no tool suffers from the limits that another
 * one used up. Tools take turns.
 *
 *   node scripts/build.mjs && npx tsx bench/trace/run.ts [runs] [scenario,…] [tool,…]      (default 10 runs; needs root, scamper, mtr,
 *   traceroute; prints Markdown, writes bench/trace/results.json)
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { startLab } from '../../src/lab/lab.ts';
import { loadScenario, type Scenario } from '../../test/scenarios/scenario.ts';
import { walkerOf } from '../../test/scenarios/walk.ts';
import { tools } from './tools.ts';

const [runs = '10', scenarios, chosen] = process.argv.slice(2);
const names = (
  scenarios ?? 'plain,ecmp-2,ecmp-4,ecmp-16,meshed-diamond,nested-diamonds,unequal-branches,per-packet'
).split(',');
const toolNames = chosen?.split(',') ?? Object.keys(tools);

interface Run {
  scenario: string;
  tool: string;
  seed: number;
  /** Neighbours by name that are none. */
  invented: string[];
  /** Routers and server found, of those that answer. */
  found: number;
  of: number;
  probes: number | null;
  seconds: number;
  failed?: string;
}

const io = {
  env: process.env,
  cwd: process.cwd(),
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  },
};

async function once(scenario: Scenario, toolName: string, seed: number): Promise<Run> {
  const topology = { ...scenario.topology, seed };
  const { nameOf } = walkerOf({ ...scenario, topology }, 4);
  const lab = await startLab(topology, { io });
  const base = { scenario: scenario.name, tool: toolName, seed };
  try {
    const tool = tools[toolName]!;
    const beganMs = performance.now();
    const { stdout, stderr } = await lab.run('client', tool.command(lab.addressOf('server')), { timeoutMs: 120_000 });
    const seconds = (performance.now() - beganMs) / 1000;
    try {
      const { addresses, pairs, probes } = tool.read(stdout);
      return {
        ...base,
        ...judge(
          scenario,
          addresses.map(nameOf),
          pairs.map((pair) => pair.map(nameOf)),
        ),
        probes,
        seconds,
      };
    } catch (error) {
      const failed = `${String(error).slice(0, 200)} ${stderr.slice(0, 200)}`;
      return { ...base, invented: [], found: 0, of: 0, probes: null, seconds, failed };
    }
  } finally {
    await lab.stop();
  }
}

function judge({ truth }: Scenario, seen: readonly string[], pairs: readonly string[][]) {
  const links = new Set(truth.adjacencies?.map((pair) => pair.join('>')));
  const answering = new Set(truth.hops?.flat().filter((name) => name !== '*'));
  const known = new Set(seen);
  const between = [...new Set(pairs.filter(([from, to]) => from !== to).map((pair) => pair.join('>')))];
  return {
    invented: between.filter((pair) => !links.has(pair)),
    found: [...answering].filter((name) => known.has(name)).length,
    of: answering.size,
  };
}

function middle(values: readonly number[]): number {
  const rising = [...values].sort((a, b) => a - b);
  return rising[Math.floor(rising.length / 2)] ?? Number.NaN;
}

function row(all: readonly Run[], scenario: string, tool: string): string {
  const mine = all.filter((run) => run.scenario === scenario && run.tool === tool && run.failed === undefined);
  const invented = mine.filter((run) => run.invented.length > 0).length;
  const complete = mine.filter((run) => run.found === run.of).length;
  const share = mine.reduce((sum, run) => sum + run.found / run.of, 0) / mine.length;
  const probes = mine.flatMap((run) => run.probes ?? []);
  const sent = probes.length === 0 ? '–' : `${middle(probes)} [${Math.min(...probes)}, ${Math.max(...probes)}]`;
  const seconds = middle(mine.map((run) => run.seconds)).toFixed(2);
  const cells = [scenario, tool, `${invented} of ${mine.length}`, `${complete} of ${mine.length}`];
  return `| ${[...cells, `${(100 * share).toFixed(0)} %`, sent, seconds].join(' | ')} |`;
}

const all: Run[] = [];
const loads: number[] = [];
for (let seed = 1; seed <= Number(runs); seed++) {
  for (const name of names) {
    const scenario = loadScenario(name);
    for (let turn = 0; turn < toolNames.length; turn++) {
      const run = await once(scenario, toolNames[(turn + seed) % toolNames.length]!, seed);
      all.push(run);
      loads.push(loadavg()[0]!);
      if (run.failed !== undefined) process.stderr.write(`${run.scenario} ${run.tool}: ${run.failed}\n`);
    }
  }
  process.stderr.write(`run ${seed} of ${runs}\n`);
}
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, node ${process.version}, load average ${middle(loads).toFixed(1)} [${Math.min(...loads).toFixed(1)}, ${Math.max(...loads).toFixed(1)}]`;
process.stdout.write(`${machine}; ${runs} runs, seeds 1 to ${runs}\n\n`);
process.stdout.write(
  '| network | tool | runs with a link that is none | runs that found every router | routers found | probes, median [least, most] | seconds, median |\n|---|---|---|---|---|---|---|\n',
);
for (const name of names) for (const tool of toolNames) process.stdout.write(`${row(all, name, tool)}\n`);
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify({ machine, runs: all }, null, 1)}\n`);
