import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { truthRow, type TruthRow } from '../../src/lab/reflect/truth.ts';
import type { TopologyInput } from '../../src/lab/topology.ts';
import type { InferReport } from '../../src/model/infer-report.ts';
import type { LabOptions } from '../../src/lab/lab.ts';
import type { Scenario } from './scenarios.ts';

/** What one scenario left behind: what the client claims, what the server knows, what a side connection saw. */
export interface Played {
  report: InferReport;
  truth: Map<string, TruthRow>;
  /** Round trips of separate TCP handshakes, ms, by a plain event loop. */
  handshakesMs: number[];
  /** One-minute load average when the scenario began. */
  load: number;
  elapsedS: number;
}

export interface PlayOptions {
  /** The words that start inferpath, built or from source. */
  cli: readonly string[];
  requests: number;
  io: LabOptions['io'];
}

const PORT = 7041;
const BULK_PORT = 7042;
const LIMIT_MS = 120_000;
const WARM_UP = ['--requests', '24', '--rate', '16', '--no-floor'];
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * The hosts of the lab stand for machines that have their processors to themselves. They do not: whatever else runs here would
 * show as a server that reads its requests late. Realtime priority, where allowed, keeps the neighbours out.
 */
const CHRT = 'chrt';
const promptly: string[] = [CHRT, '--rr', '1'];
const prompt = spawnSync(CHRT, [...promptly.slice(1), 'true']).status === 0 ? promptly : [];

/** The lab's own thread, realtime too, goes in front of the hosts: a network does not wait for its computers. */
function raiseForwarder(): void {
  if (prompt.length === 0) return;
  for (const thread of readdirSync('/proc/self/task'))
    if (realtimePriority(thread) > 0) spawnSync(CHRT, ['--rr', '--pid', '5', thread]);
}

/** proc(5): field 40; counted behind the name, which may hold spaces, it is the 38th. 0 for a thread that has just ended. */
function realtimePriority(thread: string): number {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.replace(/^.*\) /s, '').split(' ')[37]);
  } catch {
    return 0;
  }
}

/** Plays one scenario in a lab of its own. @throws Error when the client says nothing that can be read. */
export async function play(scenario: Scenario, { cli, requests, io }: PlayOptions): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), 'attribution-'));
  const files = { truth: join(folder, 'truth.jsonl'), report: join(folder, 'report.json'), rtts: join(folder, 'rtts') };
  const load = loadavg()[0] ?? 0;
  const startMs = performance.now();
  const lab = await startLab(topologyOf(scenario, cli, files.truth), { io });
  raiseForwarder();
  try {
    const family = scenario.family ?? 4;
    const target = lab.addressOf(scenario.proxy ? 'middle' : 'server', family);
    if (scenario.bulk) await startBulk(lab, scenario.bulk, io);
    const url = `http${scenario.tls ? 's' : ''}://${family === 6 ? `[${target}]` : target}:${PORT}/v1/chat/completions`;
    const infer = [...prompt, ...cli, 'infer', url, '--json', ...(scenario.tls ? ['--insecure'] : [])];
    // A server that has just started compiles while it answers.
    await lab.run('client', [...infer, ...WARM_UP]);
    const handshakes = await toFile(
      lab,
      'client',
      [...prompt, 'node', script('handshakes.mjs'), target, String(PORT)],
      files.rtts,
    );
    const words = [...infer, '--requests', String(requests), ...scenario.client];
    const env = scenario.busyClient ? { NODE_OPTIONS: `--import=${new URL('busy.mjs', import.meta.url).href}` } : {};
    const client = await toFile(lab, 'client', words, files.report, env);
    const said = await client.ended(LIMIT_MS);
    handshakes.kill();
    await handshakes.ended(LIMIT_MS);
    // SIGTERM makes the server write down what it has.
    await lab.stop();
    return {
      report: readReport(await readFile(files.report, 'utf8'), said),
      truth: readTruth(await readFile(files.truth, 'utf8')),
      handshakesMs: (await readFile(files.rtts, 'utf8')).split('\n').filter(Boolean).map(Number),
      load,
      elapsedS: (performance.now() - startMs) / 1000,
    };
  } finally {
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function topologyOf(scenario: Scenario, cli: readonly string[], truthFile: string): TopologyInput {
  const anywhere = scenario.family === 6 ? '[::]' : '0.0.0.0';
  const reflect = [...prompt, ...cli, 'reflect', '--json', '--listen', `${anywhere}:${PORT}`, '--truth', truthFile];
  const seeded = [...reflect, '--seed', String(scenario.seed), ...scenario.server, ...(scenario.tls ? ['--tls'] : [])];
  const hosts: TopologyInput['hosts'] = [{ name: 'client' }, { name: 'server', command: seeded, readyPort: PORT }];
  if (scenario.proxy) {
    const relay = [...prompt, 'node', script('proxy.mjs'), scenario.proxy, String(PORT), '{server}', String(PORT)];
    hosts.push({ name: 'middle', command: relay, readyPort: PORT });
  }
  if (scenario.bulk) {
    const sink = { command: ['node', script('bulk.mjs'), 'sink', String(BULK_PORT)], readyPort: BULK_PORT };
    hosts.push({ name: 'near', ...(scenario.bulk.from === 'far' ? sink : {}) });
    hosts.push({ name: 'far', ...(scenario.bulk.from === 'near' ? sink : {}) });
  }
  return {
    seed: scenario.seed,
    hosts,
    routers: (scenario.routers ?? []).map((name) => ({ name })),
    links: scenario.links,
  };
}

async function startBulk(
  lab: Lab,
  { from, onMs, offMs }: NonNullable<Scenario['bulk']>,
  io: LabOptions['io'],
): Promise<void> {
  const to = lab.addressOf(from === 'near' ? 'far' : 'near');
  const words = ['node', script('bulk.mjs'), 'send', to, String(BULK_PORT), String(onMs), String(offMs)];
  lab.spawn(from, words, { stdio: 'ignore' });
  await io.clock.sleep(500);
}

/** Starts a command with its output in a file: a report may be longer than a pipe's reader wants to hold. */
async function toFile(lab: Lab, host: string, words: string[], path: string, env: Record<string, string> = {}) {
  const file = await open(path, 'w');
  const child = lab.spawn(host, words, { stdio: ['ignore', file.fd, 'pipe'], env });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  const closed = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
  const kill = () => child.kill('SIGTERM');
  return {
    kill,
    ended: async (limitMs: number) => {
      const timer = setTimeout(() => child.kill('SIGINT'), limitMs);
      const text = await closed;
      clearTimeout(timer);
      await file.close();
      return text;
    },
  };
}

function readReport(text: string, said: string): InferReport {
  try {
    return JSON.parse(text) as InferReport;
  } catch (error) {
    throw new Error(`inferpath infer wrote no report (${(error as Error).message}): ${said}`, { cause: error });
  }
}

function readTruth(text: string): Map<string, TruthRow> {
  const rows = text
    .split('\n')
    .filter(Boolean)
    .map((line) => truthRow.parse(JSON.parse(line)));
  return new Map(rows.map((row) => [row.requestId, row]));
}
