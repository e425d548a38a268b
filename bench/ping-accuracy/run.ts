/**
 * How far are the round trips that a tool reports from those on the wire? Each tool sends echoes over a veth pair while tcpdump notes the
 * kernel's stamp of every packet on it; compared packet by packet. Idle, with all processors busy, and (ours) with an event loop that
 * stalls 40 ms of every 50. As root: `npx tsx bench/ping-accuracy/run.ts [--probes 200] [--rounds 3] [--seed 1]`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/stats/random.ts';
import { quantile, sorted } from '../../src/stats/quantile.ts';
import { readEchoes, wireRoundTripsUs } from './pcap.ts';

const { values } = parseArgs({
  options: {
    probes: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: fileURLToPath(new URL('results.json', import.meta.url)) },
  },
});
const probes = Number(values.probes);
const rounds = Number(values.rounds);
const random = seededRandom(Number(values.seed));

const client = `ipacc-c${process.pid}`;
const server = `ipacc-s${process.pid}`;
const target = '10.203.0.2';
/** tcpdump hands over its last block of packets within a second; ended earlier, it loses them. */
const FLUSH_MS = 1500;
const dir = mkdtempSync(join(tmpdir(), 'ping-accuracy-'));
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const cli = here('../../dist/cli/main.js');

type Condition = 'idle' | 'busy' | 'stalled';
interface Tool {
  name: string;
  command: string[];
  /** Round trips in µs in order of sending. */
  read(stdout: string, stderr: string): number[];
  /** What the tool itself says its round trips can be off by, µs. */
  errorUs?(stdout: string): number;
  conditions: readonly Condition[];
}

const numbers = (text: string, pattern: RegExp, scale: number) =>
  [...text.matchAll(pattern)].map(([, value]) => Number(value) * scale);
const fromOurs = (stdout: string) => {
  const report = JSON.parse(stdout) as { targets: { rttsMs: (number | null)[] }[] };
  return report.targets[0]!.rttsMs.flatMap((ms) => (ms === null ? [] : [ms * 1e3]));
};
const ourErrorUs = (stdout: string) =>
  (JSON.parse(stdout) as { targets: { errorMs: number }[] }).targets[0]!.errorMs * 1e3;
const ours = ['ping', target, '-c', String(probes), '-i', '0.01', '--json'];

const tools: Tool[] = [
  {
    name: 'inferpath',
    command: [process.execPath, cli, ...ours],
    read: fromOurs,
    errorUs: ourErrorUs,
    conditions: ['idle', 'busy'],
  },
  {
    name: 'inferpath',
    command: [process.execPath, '--import', 'tsx', here('stalled.ts'), ...ours],
    read: fromOurs,
    errorUs: ourErrorUs,
    conditions: ['stalled'],
  },
  {
    name: 'ping',
    command: ['ping', '-n', '-c', String(probes), '-i', '0.01', target],
    read: (stdout) => numbers(stdout, /time=([\d.]+) ms/g, 1e3),
    conditions: ['idle', 'busy'],
  },
  {
    name: 'fping',
    command: ['fping', '-q', '-C', String(probes), '-p', '10', target],
    read: (_, stderr) => numbers(stderr.split(' : ')[1] ?? '', /(\d+\.\d+)/g, 1e3),
    conditions: ['idle', 'busy'],
  },
  {
    name: 'mtr',
    command: ['mtr', '--raw', '-n', '-c', String(probes), '-i', '0.01', '-m', '1', target],
    read: (stdout) => numbers(stdout, /^p 0 (\d+)/gm, 1),
    conditions: ['idle', 'busy'],
  },
  {
    name: 'scamper',
    command: ['scamper', '-O', 'json', '-o', '-', '-p', '1000', '-I', `ping -c ${probes} -i 0.01 ${target}`],
    read: (stdout) => numbers(stdout.replaceAll('min_rtt', ''), /"rtt":([\d.]+)/g, 1e3),
    conditions: ['idle', 'busy'],
  },
];

const inClient = (command: readonly string[]) => ['netns', 'exec', client, ...command];
const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });

function setUp(): void {
  ip('netns', 'add', client);
  ip('netns', 'add', server);
  ip('-n', client, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', server);
  for (const [name, device, address] of [
    [client, 'v0', '10.203.0.1/30'],
    [server, 'v1', '10.203.0.2/30'],
  ] as const) {
    ip('-n', name, 'address', 'add', address, 'dev', device);
    ip('-n', name, 'link', 'set', device, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
}

function tearDown(): void {
  for (const name of [client, server]) {
    try {
      ip('netns', 'delete', name);
    } catch {
      // it never came to be
    }
  }
  rmSync(dir, { recursive: true, force: true });
}

async function exit(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? -1;
}

/** Differences tool − wire in µs of one run, and the ± that the tool gave for all of them. */
async function runOnce(tool: Tool): Promise<{ found: number[]; errorUs: number }> {
  const file = join(dir, 'wire.pcap');
  const dump = spawn(
    'ip',
    inClient([
      'tcpdump',
      '-i',
      'v0',
      '-n',
      '-U',
      '-j',
      'host',
      '--time-stamp-precision=nano',
      '-B',
      '4096',
      '-w',
      file,
      'icmp',
    ]),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await new Promise<void>((done) => dump.stderr.on('data', (text: Buffer) => text.includes('listening') && done()));
  const child = spawn('ip', inClient(tool.command), { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  await exit(child);
  await new Promise((done) => setTimeout(done, FLUSH_MS));
  dump.kill('SIGINT');
  await exit(dump);
  const wire = wireRoundTripsUs(readEchoes(readFileSync(file)));
  const told = tool.read(stdout, stderr);
  if (told.length !== wire.length || told.length === 0)
    throw new Error(
      `${tool.name}: ${told.length} round trips told, ${wire.length} on the wire; ${stderr.slice(0, 300)}`,
    );
  // The first one waits for ARP and is apart in every tool's use.
  return { found: told.map((us, i) => us - wire[i]!).slice(1), errorUs: tool.errorUs?.(stdout) ?? NaN };
}

function busy(): ChildProcess[] {
  return Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'const until = Date.now() + 120000; while (Date.now() < until);'], {
      stdio: 'ignore',
    }),
  );
}

const differences = new Map<string, number[]>();
const biases = new Map<string, number[]>();
/** Packets whose difference lies within the ± that the tool gave, and the largest of those. */
const within = new Map<string, number>();
const errors = new Map<string, number>();
setUp();
try {
  for (let round = 0; round < rounds; round++)
    for (const condition of ['idle', 'busy', 'stalled'] as const) {
      const load = condition === 'busy' ? busy() : [];
      const order = tools.filter((t) => t.conditions.includes(condition)).sort(() => random() - 0.5);
      for (const tool of order) {
        const key = `${condition} ${tool.name}`;
        const { found, errorUs } = await runOnce(tool);
        within.set(key, (within.get(key) ?? 0) + found.filter((us) => Math.abs(us) <= errorUs).length);
        errors.set(key, Math.max(errors.get(key) ?? 0, errorUs));
        differences.set(key, [...(differences.get(key) ?? []), ...found]);
        biases.set(key, [...(biases.get(key) ?? []), found.reduce((a, b) => a + b, 0) / found.length]);
      }
      for (const child of load) child.kill('SIGKILL');
    }
} finally {
  tearDown();
}

const rows = [...differences].map(([key, all]) => {
  const [condition, tool] = key.split(' ') as [Condition, string];
  const absolute = sorted(all.map(Math.abs));
  const perRound = biases.get(key)!;
  return {
    condition,
    tool,
    packets: all.length,
    biasUs: all.reduce((a, b) => a + b, 0) / all.length,
    biasLowUs: Math.min(...perRound),
    biasHighUs: Math.max(...perRound),
    medianUs: quantile(sorted(all), 0.5),
    p99Us: quantile(absolute, 0.99),
    maxUs: absolute.at(-1)!,
    claimedUs: errors.get(key)! > 0 ? errors.get(key)! : null,
    withinShare: errors.get(key)! > 0 ? within.get(key)! / all.length : null,
  };
});
rows.sort((a, b) => a.condition.localeCompare(b.condition) || Math.abs(a.biasUs) - Math.abs(b.biasUs));
const one = (us: number) => us.toFixed(1);
console.log(
  '| condition | tool | packets | bias µs (mean of tool − wire) | per round | median | p99 of \\|error\\| µs | max |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const r of rows)
  console.log(
    `| ${r.condition} | ${r.tool} | ${r.packets} | ${one(r.biasUs)} | ${one(r.biasLowUs)} … ${one(r.biasHighUs)} | ${one(r.medianUs)} | ${one(r.p99Us)} | ${one(r.maxUs)} | ${r.claimedUs === null ? 'none' : `± ${one(r.claimedUs)}, ${(r.withinShare! * 100).toFixed(1)} %`} |`,
  );
const machine = {
  cpu: cpus()[0]?.model ?? '',
  cores: availableParallelism(),
  kernel: release(),
  node: process.version,
};
writeFileSync(values.out, `${JSON.stringify({ probes, rounds, seed: Number(values.seed), machine, rows }, null, 1)}\n`);
