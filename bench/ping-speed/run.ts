/**
 * How fast, and for how much processor time, does a tool ask very many targets once each? Whole processes, from start to exit, against
 * distinct addresses of 127/8; interleaved in an order drawn by the seed. As root (or with CAP_NET_RAW):
 * `npx tsx bench/ping-speed/run.ts [--rounds 7] [--seed 1] [--sizes 10000,60000] [--alone 100000,1000000]`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantile, sorted } from '../../src/stats/quantile.ts';
import { seededRandom } from '../../src/stats/random.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seed: { type: 'string', default: '1' },
    sizes: { type: 'string', default: '10000,60000' },
    alone: { type: 'string', default: '100000,1000000' },
    out: { type: 'string', default: fileURLToPath(new URL('results.json', import.meta.url)) },
  },
});
const list = (text: string) => text.split(',').filter(Boolean).map(Number);
const rounds = Number(values.rounds);
const random = seededRandom(Number(values.seed));
const dir = mkdtempSync(join(tmpdir(), 'ping-speed-'));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Run {
  wallS: number;
  cpuS: number;
  /** Targets that answered, as the tool itself says. */
  answered: number;
}

interface Tool {
  name: string;
  command(file: string): string[];
  answered(output: string): number;
}

const tools: readonly Tool[] = [
  {
    name: 'inferpath',
    command: (file) => [process.execPath, cli, 'ping', '--file', file, '-c', '1', '--rate', 'max', '--top', '1'],
    answered: (output) => Number(/(\d+) of \d+ targets answering/.exec(output)?.[1] ?? 0),
  },
  {
    name: 'fping',
    command: (file) => ['fping', '-q', '-c1', '-i', '0', '-p', '10', '-f', file],
    answered: (output) => [...output.matchAll(/= 1\/1\/0%/g)].length,
  },
  {
    // What a Node program costs before it does anything.
    name: 'node -e 0',
    command: () => [process.execPath, '-e', '0'],
    answered: () => 0,
  },
];

/** Distinct addresses of 127/8, in random order. */
function targetFile(count: number): string {
  const seen = new Set<number>();
  while (seen.size < count) seen.add(256 + Math.floor(random() * (2 ** 24 - 512)));
  const lines = [...seen].map((n) => `127.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  const file = join(dir, `targets-${count}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function run(tool: Tool, file: string): Run {
  // bash's own `time` has milliseconds, where time(1) has hundredths.
  const script = `TIMEFORMAT='@@ %R %U %S'; time "$@" 2>&1`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...tool.command(file)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const [, wall, user, system] = /@@ ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  return { wallS: Number(wall), cpuS: Number(user) + Number(system), answered: tool.answered(stdout) };
}

const rows: { tool: string; targets: number; answered: number; perS: Spread; cpuUs: Spread }[] = [];
interface Spread {
  median: number;
  low: number;
  high: number;
}
const spread = (all: readonly number[]): Spread => ({
  median: quantile(sorted(all), 0.5),
  low: Math.min(...all),
  high: Math.max(...all),
});

const loadBefore = loadavg()[0];
try {
  for (const targets of list(values.sizes)) {
    const file = targetFile(targets);
    const runs = new Map<string, Run[]>(tools.map((tool) => [tool.name, []]));
    for (let round = 0; round < rounds; round++) {
      const order = [...tools].sort(() => random() - 0.5);
      for (const tool of order) runs.get(tool.name)!.push(run(tool, file));
    }
    for (const [tool, all] of runs)
      rows.push({
        tool,
        targets,
        answered: Math.min(...all.map((one) => one.answered)),
        perS: spread(all.map((one) => targets / one.wallS)),
        cpuUs: spread(all.map((one) => (one.cpuS / targets) * 1e6)),
      });
  }
  const alone = list(values.alone).map((targets) => {
    const command = ['-f', '@@ %e %U %S %M', ...tools[0]!.command(targetFile(targets))];
    const { stdout, stderr } = spawnSync('/usr/bin/time', command, { encoding: 'utf8', maxBuffer: 1 << 28 });
    const [, wall, user, system, kib] = /@@ ([\d.]+) ([\d.]+) ([\d.]+) (\d+)/.exec(stderr) ?? [];
    return {
      targets,
      answered: tools[0]!.answered(stdout),
      wallS: Number(wall),
      cpuUs: ((Number(user) + Number(system)) / targets) * 1e6,
      rssMiB: Number(kib) / 1024,
    };
  });
  print(alone);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function print(alone: { targets: number; answered: number; wallS: number; cpuUs: number; rssMiB: number }[]): void {
  const whole = (n: number) => Math.round(n).toLocaleString('en');
  const show = (s: Spread, digits: (n: number) => string) =>
    `${digits(s.median)} [${digits(s.low)}, ${digits(s.high)}]`;
  console.log(
    '| targets | tool | answered | targets/s | CPU µs per target | rate ÷ fping | CPU ÷ fping |\n|---|---|---|---|---|---|---|',
  );
  for (const row of rows) {
    const peer = rows.find((r) => r.tool === 'fping' && r.targets === row.targets);
    const ratio = (a: number, b: number | undefined) =>
      b === undefined || row.tool !== 'inferpath' ? '' : (a / b).toFixed(2);
    console.log(
      `| ${whole(row.targets)} | ${row.tool} | ${whole(row.answered)} | ${show(row.perS, whole)} | ${show(row.cpuUs, (n) => n.toFixed(1))} | ${ratio(row.perS.median, peer?.perS.median)} | ${ratio(row.cpuUs.median, peer?.cpuUs.median)} |`,
    );
  }
  console.log('\n| targets (alone) | answered | s | CPU µs per target | largest memory MiB |\n|---|---|---|---|---|');
  for (const one of alone)
    console.log(
      `| ${whole(one.targets)} | ${whole(one.answered)} | ${one.wallS.toFixed(2)} | ${one.cpuUs.toFixed(1)} | ${whole(one.rssMiB)} |`,
    );
  const machine = {
    cpu: cpus()[0]?.model ?? '',
    cores: availableParallelism(),
    kernel: release(),
    node: process.version,
    loadBefore,
  };
  writeFileSync(
    values.out,
    `${JSON.stringify({ rounds, seed: Number(values.seed), machine, rows, alone }, null, 1)}\n`,
  );
}
