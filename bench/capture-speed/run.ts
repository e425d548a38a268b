// Speed and memory of `inferpath capture` beside tshark and tcptrace, on the same files in the same run. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/stats/random.ts';
import { sharedData } from '../../test/shared-data.ts';
import { mixed, readMix } from './mix.ts';
import { asTls, flightsOf, play, readTemplate } from './templates.ts';

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string', default: 'tokens,mix,bulk' },
    tools: { type: 'string', default: 'inferpath,inferpath-1,tshark-conv,tshark-analysis,tcptrace' },
    'pipe-gb': { type: 'string', default: '0' },
    'at-once': { type: 'string', default: '64' },
    patience: { type: 'string', default: '600' },
  },
});
const octets = Number(values.mb) * 1e6;
const folder = join(tmpdir(), 'inferpath-capture-speed');
const cli = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));

type Tool = 'inferpath' | 'inferpath-1' | 'tshark-conv' | 'tshark-analysis' | 'tcptrace';
const words: Record<Tool, (file: string) => string[]> = {
  inferpath: (file) => [process.execPath, cli, 'capture', file],
  'inferpath-1': (file) => [process.execPath, cli, 'capture', '--threads', '1', file],
  'tshark-conv': (file) => ['tshark', '-r', file, '-q', '-z', 'conv,tcp'],
  'tshark-analysis': (file) => ['tshark', '-r', file, '-Y', 'tcp.analysis.flags'],
  tcptrace: (file) => ['tcptrace', '-n', '-l', '-r', file],
};

function lab(name: string): string {
  const path = sharedData(`captures/truth/${name}.pcap.gz`);
  if (path === null) throw new Error(`the lab capture ${name} is not there`);
  return path;
}

function* octetsOf(kind: string, size: number): Generator<Buffer> {
  const random = seededRandom(Number(values.seed));
  const tokens = ['exp1.client', 'exp1.server', 'exp2.client', 'exp2.server'].map((name) => readTemplate(lab(name)));
  if (kind === 'tokens') yield* play(tokens, { octets: size, atOnce: Number(values['at-once']), random });
  else if (kind === 'bulk') {
    const names = ['bulk1.client', 'bulk1.server', 'bulk2.client', 'bulk2.server'];
    const bulk = names.map((name) => asTls(readTemplate(lab(name)), flightsOf(tokens[0]!)));
    yield* play(bulk, { octets: size, atOnce: 4, random });
  } else if (kind === 'mix') {
    const folderOf = sharedData('captures/public');
    if (folderOf === null) throw new Error('the public captures are not there');
    yield* mixed(readMix(folderOf), size);
  } else throw new Error(`--files: ${kind} is not one of tokens, mix, bulk`);
}

interface Measured {
  tool: Tool;
  file: string;
  ok: boolean;
  wallS: number;
  cpuS: number;
  rssMb: number;
}

/** One process from start to end, by GNU time. */
function measure(tool: Tool, file: string): Measured {
  const report = join(folder, 'time.txt');
  // Who has no patience is `timeout`, which ends the tool itself: one that goes on would disturb all that are measured behind it.
  const command = ['-o', report, '-f', '%e %U %S %M', 'timeout', '-k', '5', values.patience, ...words[tool](file)];
  const { status } = spawnSync('/usr/bin/time', command, { stdio: 'ignore' });
  const [wallS = NaN, user = NaN, system = NaN, kb = NaN] = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map(Number);
  const measured = { tool, file, ok: status === 0, wallS, cpuS: user + system, rssMb: kb / 1000 };
  console.error(JSON.stringify(measured));
  return measured;
}

function packetsOf(file: string): number {
  const { stdout } = spawnSync('capinfos', ['-T', '-r', '-M', '-c', file], { encoding: 'utf8' });
  return Number(stdout.trim().split('\t').at(-1));
}

const middle = (of: number[]) => of.toSorted((a, b) => a - b)[of.length >> 1]!;
const spread = (of: number[], digits: number) =>
  `${middle(of).toFixed(digits)} [${Math.min(...of).toFixed(digits)}, ${Math.max(...of).toFixed(digits)}]`;

function table(kind: string, file: string, runs: Measured[]): string {
  const size = statSync(file).size / 1e6;
  const packets = packetsOf(file) / 1e6;
  const wallOf = (tool: string) => runs.filter((run) => run.tool === tool && run.ok).map((run) => run.wallS);
  const ours = wallOf('inferpath');
  const rows = [...new Set(runs.map(({ tool }) => tool))].map((tool) => {
    const mine = runs.filter((run) => run.tool === tool);
    const good = mine.filter(({ ok }) => ok);
    if (good.length === 0) return `| ${tool} | failed, or not done in ${values.patience} s |||||||`;
    const wall = good.map(({ wallS }) => wallS);
    const times = ours.length > 0 ? (middle(wall) / middle(ours)).toFixed(1) : '';
    return `| ${tool} | ${spread(wall, 2)} | ${spread(
      good.map(({ cpuS }) => cpuS),
      2,
    )} | ${spread(
      wall.map((s) => size / s),
      0,
    )} | ${spread(
      wall.map((s) => packets / s),
      2,
    )} | ${middle(good.map(({ cpuS }) => size / cpuS)).toFixed(0)} | ${Math.max(...good.map(({ rssMb }) => rssMb)).toFixed(0)} | ${times} |`;
  });
  return [
    `**${kind}**: ${size.toFixed(0)} MB, ${packets.toFixed(2)} M packets, ${((size / packets) | 0).toFixed(0)} octets each`,
    '',
    '| tool | s | CPU s | MB/s | Mpps | MB per CPU s | peak RSS, MB | time ÷ inferpath’s |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** A stream that no file holds, made while it is read. */
async function pipe(size: number): Promise<string> {
  const report = join(folder, 'time.txt');
  const child = spawn('/usr/bin/time', ['-o', report, '-f', '%e %U %S %M', process.execPath, cli, 'capture', '-'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  for (const piece of octetsOf('tokens', size)) if (!child.stdin.write(piece)) await once(child.stdin, 'drain');
  child.stdin.end();
  await ended;
  const [wallS, user, system, kb] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return `**pipe**: ${(size / 1e9).toFixed(1)} GB of token streams, made while they are read: ${wallS} s, ${(user! + system!).toFixed(1)} s of CPU, ${(size / 1e6 / wallS!).toFixed(0)} MB/s, peak RSS ${(kb! / 1000).toFixed(0)} MB`;
}

mkdirSync(folder, { recursive: true });
console.log(`${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, node ${process.version}, seed ${values.seed}`);
const results: Measured[] = [];
const tools = values.tools.split(',').filter((tool): tool is Tool => tool in words);
for (const kind of values.files.split(',').filter(Boolean)) {
  const file = join(folder, `${kind}.pcap`);
  if (!existsSync(file) || statSync(file).size < octets) {
    const target = openSync(file, 'w');
    for (const piece of octetsOf(kind, octets)) writeSync(target, piece);
    closeSync(target);
  }
  // Into the page cache, for all alike.
  spawnSync('cat', [file], { stdio: 'ignore' });
  const runs: Measured[] = [];
  for (let round = 0; round < Number(values.rounds); round++) for (const tool of tools) runs.push(measure(tool, file));
  results.push(...runs);
  console.log(`\n${table(kind, file, runs)}`);
}
if (Number(values['pipe-gb']) > 0) console.log(`\n${await pipe(Number(values['pipe-gb']) * 1e9)}`);
writeFileSync(join(folder, 'results.json'), JSON.stringify(results));
rmSync(join(folder, 'time.txt'), { force: true });
