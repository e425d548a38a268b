import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { startLab } from '../../src/lab/lab.ts';
import { canRunLab } from '../../src/lab/privilege.ts';
import type { TopologyInput } from '../../src/lab/topology.ts';
import type { LabStats } from '../../src/lab/counters.ts';

/**
 * How fast the lab forwards, and how exactly it keeps its delays. `npx tsx bench/lab/forwarding.ts [rounds]`
 * (default 5; about 20 s a round). Scenarios are interleaved, so that a busy minute of the machine hits all of them.
 */
const rounds = Number(process.argv[2] ?? 5);
const SECONDS = 4;
const PINGS = 1000;

const io = {
  env: process.env,
  cwd: process.cwd(),
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  },
};

const pair = { hosts: [{ name: 'a' }, { name: 'b' }] };
const direct = (link: object): TopologyInput => ({ ...pair, links: [{ a: 'a', b: 'b', ...link }] });
const routed: TopologyInput = {
  ...pair,
  routers: [{ name: 'r' }, { name: 's' }],
  links: [
    { a: 'a', b: 'r', delayMs: 1 },
    { a: 'r', b: 's', delayMs: 3, jitterMs: 0.1 },
    { a: 's', b: 'b', delayMs: 1, rateMbit: 1000, queueMs: 20 },
  ],
};

interface Result {
  mbits: number[];
  retransmits: number[];
  stats: LabStats[];
}

/** TCP from a to b for a few seconds. */
async function iperf(topology: TopologyInput, extra: string[], into: Result): Promise<void> {
  const lab = await startLab(
    { ...topology, hosts: [{ name: 'a' }, { name: 'b', command: ['iperf3', '-s', '-1'], readyPort: 5201 }] },
    { io },
  );
  try {
    const { stdout } = await lab.run('a', ['iperf3', '-c', '{b}', '-t', String(SECONDS), '-J', ...extra]);
    const { end } = JSON.parse(stdout) as {
      end: { sum_received: { bits_per_second: number }; sum_sent: { retransmits?: number } };
    };
    into.mbits.push(end.sum_received.bits_per_second / 1e6);
    into.retransmits.push(end.sum_sent.retransmits ?? 0);
  } finally {
    into.stats.push(await lab.stop());
  }
}

/** A steady trickle, five times the delay apart: what a measurement sees on a quiet path. */
async function pings(topology: TopologyInput, into: { rtts: number[]; stats: LabStats[] }): Promise<void> {
  const lab = await startLab(topology, { io });
  try {
    const { stdout } = await lab.run('a', ['ping', '-c', String(PINGS), '-i', '0.002', '{b}']);
    into.rtts.push(...[...stdout.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1])));
  } finally {
    into.stats.push(await lab.stop());
  }
}

const quantile = (values: readonly number[], share: number) =>
  values.toSorted((x, y) => x - y)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const spread = (values: readonly number[], digits: number) =>
  `${quantile(values, 0.5).toFixed(digits)} [${Math.min(...values).toFixed(digits)}, ${Math.max(...values).toFixed(digits)}]`;

const scenarios: { name: string; topology: TopologyInput; extra: string[] }[] = [
  { name: 'direct link, 0.5 ms', topology: direct({ delayMs: 0.5 }), extra: [] },
  { name: 'direct link, 0.5 ms, reverse', topology: direct({ delayMs: 0.5 }), extra: ['-R'] },
  { name: 'two routers, 5 ms, jitter, 1 Gbit/s', topology: routed, extra: [] },
];

const ability = canRunLab();
if (!ability.ok || spawnSync('iperf3', ['--version']).error) {
  process.stderr.write(`bench/lab needs iperf3 and a lab: ${ability.ok ? 'iperf3 is missing' : ability.reason}\n`);
  process.exit(3);
}

const results = scenarios.map((): Result => ({ mbits: [], retransmits: [], stats: [] }));
const quiet = { rtts: [] as number[], stats: [] as LabStats[] };
const loads: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  for (const [index, { topology, extra }] of scenarios.entries()) {
    loads.push(loadavg()[0]!);
    await iperf(topology, extra, results[index]!);
  }
  await pings(direct({ delayMs: 5 }), quiet);
}

const errors = (stats: readonly LabStats[]) =>
  `${spread(
    stats.map((one) => one.delayError.medianMs),
    3,
  )} | ${spread(
    stats.map((one) => one.delayError.p99Ms),
    3,
  )}`;
const ownDrops = (stats: readonly LabStats[]) =>
  stats.reduce(
    (sum, { hosts, totals }) =>
      sum +
      hosts.reduce((all, host) => all + Math.max(0, host.kernelDropped), 0) +
      totals.poolFull +
      totals.writeFailed,
    0,
  );
const out = (line: string) => process.stdout.write(`${line}\n`);

out(
  `${cpus().length} × ${cpus()[0]?.model.trim()}, node ${process.version}, load average ${spread(loads, 1)}, n = ${rounds} runs each`,
);
out('');
out('| scenario | Mbit/s: median [min, max] | delay error median, ms | delay error p99, ms | dropped by the lab |');
out('|---|---|---|---|---|');
scenarios.forEach(({ name }, index) => {
  const { mbits, stats } = results[index]!;
  out(`| iperf3 TCP, ${name} | ${spread(mbits, 0)} | ${errors(stats)} | ${ownDrops(stats)} |`);
});
out(`| ping every 2 ms, direct link, 5 ms | – | ${errors(quiet.stats)} | ${ownDrops(quiet.stats)} |`);
out('');
const overMs = quiet.rtts.map((rtt) => rtt - 10);
out(
  `ping: RTT above the true 10 ms: median ${quantile(overMs, 0.5).toFixed(3)} ms, p99 ${quantile(overMs, 0.99).toFixed(3)} ms (n = ${overMs.length})`,
);
const slowest = Math.min(...results.flatMap((one) => one.mbits));
out(`goal 300 Mbit/s: slowest run ${slowest.toFixed(0)} Mbit/s`);
