// Agents as run.ts starts them, in a process of their own: argv[2] is a JSON file with what to do. Each sends a batch a second over its own
// TLS connection with its own certificate, on a schedule that does not wait for answers; a late answer delays the agent, not the schedule.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { body } from './workload.ts';
import type { Identity } from './prepare.ts';

export interface AgentsTask {
  port: number;
  identities: Identity[];
  authorities: string;
  rows: number;
  /** Of all agents together; 0: as fast as they are answered. */
  rowsPerSecond: number;
  seconds: number;
  life: string;
}
export interface AgentsResult {
  rows: number;
  batches: number;
  refused: Record<string, number>;
  ackMs: number[];
  lateMs: number[];
  seconds: number;
  cpuSeconds: number;
  /** Keys that were acknowledged, per agent: the first and how many. */
  acknowledged: string[];
  perSecond: number[];
}

/** So long after the end a batch may still be sent again. */
const graceS = 20;

const zip = promisify(gzip);
const task = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as AgentsTask;
const { rows, identities } = task;
const made = Array.from({ length: 10 }, (_, i) => pieces(i));
const result: AgentsResult = {
  rows: 0,
  batches: 0,
  refused: {},
  ackMs: [],
  lateMs: [],
  seconds: 0,
  cpuSeconds: 0,
  acknowledged: [],
  perSecond: [],
};
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A batch as text, open where key and times go: making the numbers anew would cost more than all that is measured. */
function pieces(seed: number): [string, string, string] {
  const text = JSON.stringify(body(rows, seed * rows, seed, () => 0));
  const times = /"atMs":\[[0,]*\]/.exec(text)!;
  const [before = '', after = ''] = text.slice(0, times.index).split('replaced');
  return [before, after, text.slice(times.index + times[0].length)];
}

async function payload(batch: number, key: string, nowMs: number): Promise<Buffer> {
  const [before, middle, end] = made[batch % made.length]!;
  const step = 1000 / rows;
  const times = Array.from({ length: rows }, (_, row) => Math.floor(nowMs - 1000 + row * step));
  return zip(`${before}${key}${middle}"atMs":[${times.join(',')}]${end}`, { level: 1 });
}

function post(agent: Agent, key: string, octets: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'idempotency-key': key,
      'content-length': octets.length,
    };
    const { port } = task;
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/agent/v1/batches', headers });
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(octets);
  });
}

async function lane({ name, certificate, key }: Identity, number: number, begunMs: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, cert: certificate, key, ca: task.authorities });
  const everyMs = task.rowsPerSecond === 0 ? 0 : (1000 * rows * identities.length) / task.rowsPerSecond;
  for (let i = 0; ; i++) {
    const dueMs = begunMs + (everyMs * number) / identities.length + i * everyMs;
    const waitMs = dueMs - performance.now();
    if (everyMs > 0 && waitMs > 0) await sleep(waitMs);
    if (performance.now() - begunMs >= task.seconds * 1000) break;
    const batch = `${task.life}-${number}-${i}`;
    const octets = await payload(number * 7 + i, batch, Date.now());
    const from = performance.now();
    if (everyMs > 0) result.lateMs.push(from - dueMs);
    // Like an agent: the same batch until it is taken.
    for (;;) {
      const status = await post(agent, batch, octets).catch((error: unknown) => String(error));
      if (status === 200) break;
      result.refused[status] = (result.refused[status] ?? 0) + 1;
      if (performance.now() - begunMs > (task.seconds + graceS) * 1000) return agent.destroy();
      await sleep(500);
    }
    const now = performance.now();
    result.ackMs.push(now - from);
    result.batches++;
    result.rows += rows;
    result.acknowledged.push(`${name}/${batch}`);
    const second = Math.floor((now - begunMs) / 1000);
    result.perSecond[second] = (result.perSecond[second] ?? 0) + rows;
  }
  agent.destroy();
}

const cpu = process.cpuUsage();
const begunMs = performance.now();
await Promise.all(identities.map((identity, i) => lane(identity, i, begunMs)));
const { user, system } = process.cpuUsage(cpu);
result.cpuSeconds = (user + system) / 1e6;
result.seconds = (performance.now() - begunMs) / 1000;
process.stdout.write(JSON.stringify(result));
