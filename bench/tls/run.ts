/**
 * How long does one endpoint take, and what is seen of its groups: `inferpath secure tls`, testssl.sh and sslscan against the same
 * server on loopback, whole processes from start to exit, interleaved. `node scripts/build.mjs && npx tsx bench/tls/run.ts`, with node24
 * (.ci/run installs it), testssl and sslscan on the PATH. Each set has inferpath in it, so that what is divided met the same load.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { selfSignedCertificate } from '../../test/fixtures/certificate.ts';
import { startPeer } from '../../test/fixtures/tls-peers.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, set: { type: 'string', default: 'groups' } },
});
const main = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const manyEndpoints = 8;

interface Tool {
  name: string;
  command: (ports: readonly number[]) => [string, ...string[]];
  /** Groups that it says the server has. */
  groups: (output: string) => string[];
  /** Endpoints asked in one run. */
  endpoints: number;
}

const known = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'x448', 'ffdhe2048', 'ffdhe3072'];
/** Names that others give to them. */
const alias: Readonly<Record<string, string>> = { secp256r1: 'prime256v1' };
const named = (output: string) => {
  const text = output.toLowerCase();
  return known.filter((group) => [group, alias[group] ?? group].some((name) => text.includes(name.toLowerCase())));
};
const ofReport = (output: string): string[] => {
  const { endpoints } = JSON.parse(output) as {
    endpoints: { survey: { groups: { name: string; support: string }[] } }[];
  };
  return endpoints[0]!.survey.groups.filter(({ support }) => support === 'yes').map(({ name }) => name);
};

const inferpath = (name: string, endpoints: number, ...flags: string[]): Tool => ({
  name,
  endpoints,
  command: (ports) => [
    process.execPath,
    main,
    'secure',
    'tls',
    ...ports.slice(0, endpoints).map((port) => `127.0.0.1:${port}`),
    '--json',
    ...flags,
  ],
  groups: ofReport,
});
const testssl = (name: string, ...flags: string[]): Tool => ({
  name,
  endpoints: 1,
  command: ([port]) => ['testssl', '--quiet', '--color', '0', '--warnings', 'off', ...flags, `127.0.0.1:${port}`],
  groups: named,
});

const reference = inferpath('inferpath secure tls', 1);
const sets: Readonly<Record<string, readonly Tool[]>> = {
  groups: [
    reference,
    inferpath(`inferpath secure tls, ${manyEndpoints} endpoints in one run, each`, manyEndpoints),
    inferpath(
      'inferpath secure tls --rate 20 --at-once 1 (as against other hosts)',
      1,
      '--rate',
      '20',
      '--at-once',
      '1',
    ),
    testssl('testssl.sh -f (groups, forward secrecy)', '-f'),
    {
      name: 'sslscan',
      endpoints: 1,
      command: ([port]) => ['sslscan', '--no-colour', `127.0.0.1:${port}`],
      groups: named,
    },
  ],
  wide: [reference, testssl('testssl.sh -p -f -S (versions, groups, certificate)', '-p', '-f', '-S')],
  whole: [reference, testssl('testssl.sh, as it comes')],
};

interface Took {
  wallS: number;
  /** Of the process and all that it started: what a busy machine changes little. */
  cpuS: number;
}

const folder = mkdtempSync(join(tmpdir(), 'inferpath-bench-tls-'));

async function tookBy(tool: Tool, ports: readonly number[], output: (text: string) => void): Promise<Took> {
  const began = process.hrtime.bigint();
  const used = join(folder, 'used');
  const child = spawn('/usr/bin/time', ['-f', '%U %S', '-o', used, ...tool.command(ports)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  await once(child, 'close');
  const wallS = Number(process.hrtime.bigint() - began) / 1e9 / tool.endpoints;
  output(text);
  // A line before it tells of a status that is not 0.
  const [user = 0, system = 0] = readFileSync(used, 'utf8').trim().split('\n').at(-1)!.split(' ').map(Number);
  return { wallS, cpuS: (user + system) / tool.endpoints };
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const round = (value: number, digits = 2) => Number(value.toFixed(digits));

interface Row {
  tool: string;
  n: number;
  medianS: number;
  minS: number;
  maxS: number;
  /** Processor time, median. */
  cpuS: number;
  timesInferpath: number;
  cpuTimesInferpath: number;
  groups: string[];
}

async function runSet(tools: readonly Tool[], rounds: number, ports: readonly number[]): Promise<Row[]> {
  const took = new Map<string, Took[]>();
  const seen = new Map<string, string[]>();
  for (let i = 0; i < rounds; i++)
    for (const tool of i % 2 === 0 ? tools : tools.toReversed()) {
      const one = await tookBy(tool, ports, (text) => seen.set(tool.name, tool.groups(text)));
      took.set(tool.name, [...(took.get(tool.name) ?? []), one]);
      console.error(`${tool.name}: ${one.wallS.toFixed(2)} s, ${one.cpuS.toFixed(2)} s of processor time`);
    }
  const walls = (name: string) => took.get(name)!.map(({ wallS }) => wallS);
  const cpu = (name: string) => median(took.get(name)!.map(({ cpuS }) => cpuS));
  return tools.map(({ name }) => {
    const all = walls(name);
    return {
      tool: name,
      n: all.length,
      medianS: round(median(all)),
      minS: round(Math.min(...all)),
      maxS: round(Math.max(...all)),
      cpuS: round(cpu(name)),
      timesInferpath: round(median(all) / median(walls(reference.name)), 1),
      cpuTimesInferpath: round(cpu(name) / cpu(reference.name), 1),
      groups: seen.get(name)!,
    };
  });
}

interface Run {
  set: string;
  startedAt: string;
  loadBefore: number;
  loadAfter: number;
  results: Row[];
}
interface Results {
  machine: string;
  versions: string[];
  runs: Run[];
}

const file = fileURLToPath(new URL('results.json', import.meta.url));
const page = fileURLToPath(new URL('README.md', import.meta.url));

function write(run: Run): void {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results).runs : [];
  const others = before.filter(({ set }) => set !== run.set);
  const runs = Object.keys(sets).flatMap((set) => [...others, run].filter((one) => one.set === set));
  const versions = ['testssl --version', 'sslscan --version', 'node24 --version'].map((line) => {
    const [command, ...args] = line.split(' ') as [string, ...string[]];
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    return `${command} ${/\d+\.\d+[.\w-]*/.exec(stdout + stderr)?.[0] ?? '?'}`;
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, node ${process.version}`;
  writeFileSync(file, `${JSON.stringify({ machine, versions, runs } satisfies Results, null, 2)}\n`);
  const [begin, end] = ['<!-- results -->', '<!-- end of results -->'];
  const text = readFileSync(page, 'utf8');
  const [head] = text.split(begin) as [string];
  const [, tail = '\n'] = text.split(end);
  writeFileSync(page, `${head}${begin}\n\n${table({ machine, versions, runs })}\n\n${end}${tail}`);
}

function table({ machine, versions, runs }: Results): string {
  const line = ({ tool, n, medianS, minS, maxS, cpuS, timesInferpath, cpuTimesInferpath, groups }: Row) =>
    `| ${tool} | ${medianS} | ${minS} to ${maxS} | ${n} | ${timesInferpath} | ${cpuS} | ${cpuTimesInferpath} | ${groups.length} of ${known.length}${groups.includes('X25519MLKEM768') ? ', with X25519MLKEM768' : ''} |`;
  const block = ({ set, startedAt, loadBefore, loadAfter, results }: Run) => [
    `Set \`${set}\`, ${startedAt}, load average ${loadBefore} before and ${loadAfter} after:`,
    '',
    '| tool | median, s | spread, s | n | × inferpath | processor, s | × inferpath | groups found |',
    '|---|---|---|---|---|---|---|---|',
    ...results.map(line),
  ];
  return [`${machine}; ${versions.join(', ')}.`, ...runs.flatMap((run) => ['', ...block(run)])].join('\n');
}

const tools = sets[values.set];
if (!tools) throw new Error(`--set: found ${values.set}; allowed: ${Object.keys(sets).join(', ')}`);
const keyed = selfSignedCertificate(['server.test'], Date.now());
const peers = [];
try {
  for (let i = 0; i < manyEndpoints; i++) peers.push(await startPeer('node24', { cert: keyed.cert, key: keyed.key }));
  const [startedAt, loadBefore] = [new Date().toISOString(), round(loadavg()[0]!, 1)];
  const results = await runSet(
    tools,
    Number(values.rounds),
    peers.map(({ port }) => port),
  );
  write({ set: values.set, startedAt, loadBefore, loadAfter: round(loadavg()[0]!, 1), results });
  console.table(results.map(({ groups, ...row }) => ({ ...row, groups: groups.length })));
} finally {
  for (const peer of peers) await peer.stop();
  rmSync(folder, { recursive: true });
}
