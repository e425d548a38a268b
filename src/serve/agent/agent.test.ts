import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeDisk, fakeDisk } from '../../../test/fakes/durable-files.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import { agentStatus, type AgentStatus } from '../../model/agent-health.ts';
import { batchBody, type AgentJobs, type BatchBody } from '../../model/agent-protocol.ts';
import { faultOfColumns, samplesOf } from '../../store/columns.ts';
import { type AgentParts, runAgent } from './agent.ts';
import { localLink } from './local-link.ts';
import type { ServerLink } from './server-link.ts';
import { targetPolicy } from './target-policy.ts';

let target: Server;
let url = '';
let lives = 0;
beforeAll(async () => {
  target = createServer((socket) => socket.end());
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
});
afterAll(() => target.close());

const jobsOf = (...jobs: Partial<AgentJobs['jobs'][number]>[]): AgentJobs => ({
  version: 1,
  revision: String(jobs.length),
  uplink: [],
  jobs: jobs.map((job, i) => ({
    id: `job-${i}`,
    probe: 'tcp',
    endpoint: 'api',
    url,
    everyMs: 100,
    options: {},
    ...job,
  })),
});

/** A server in memory that keeps batches once per key, and can be made to fail. */
function memoryServer(jobs: AgentJobs) {
  const batches = new Map<string, BatchBody>();
  const server = { isAway: false, jobs, batches };
  const link = localLink({
    jobs: () => {
      if (server.isAway) throw new Error('away');
      return server.jobs;
    },
    store: (body) => {
      if (server.isAway) return Promise.reject(new Error('away'));
      expect(batchBody.safeParse(body).error).toBeUndefined();
      expect(faultOfColumns(body)).toBeNull();
      const result = batches.has(body.key) ? 'duplicate' : 'stored';
      batches.set(body.key, body);
      return Promise.resolve(result);
    },
  });
  const samples = () =>
    [...batches.values()].flatMap(({ key, ...columns }) => samplesOf({ key, agent: 'agent-1', columns }));
  return { server, link, samples };
}

/** Runs an agent for `ms`, and on a busy machine longer, until what has to happen has happened. */
async function runFor(
  ms: number,
  link: ServerLink,
  disk: FakeDisk = fakeDisk(),
  more: Partial<AgentParts> = {},
  isEnough: () => boolean = () => true,
) {
  const stop = new AbortController();
  const beganMs = performance.now();
  const watch = setInterval(() => {
    const ranMs = performance.now() - beganMs;
    if ((ranMs >= ms && isEnough()) || ranMs >= 15_000) stop.abort();
  }, 20);
  // Another seed for every life: keys of batches begin with a number that no two lives share.
  const io = fakeIo({ realClock: true, wallMs: Date.now(), seed: ++lives });
  const told: AgentStatus[] = [];
  const last = await runAgent(
    {
      name: 'agent-1',
      version: '0.0.0',
      io,
      files: disk,
      directory: '/state',
      link,
      rules: { policy: targetPolicy(['127.0.0.0/8']), keyFor: () => ({ why: 'no keys here' }) },
      cpuMs: () => process.cpuUsage().user / 1000,
      pace: { batchEveryMs: 200, healthEveryMs: 500, pollEveryMs: 300 },
      onStatus: (status) => told.push(status),
      ...more,
    },
    stop.signal,
  ).finally(() => clearInterval(watch));
  return { last, told, io, disk };
}

test('measures what the server asks for, and reports its own health beside it', async () => {
  const { link, samples } = memoryServer(
    jobsOf({}, { probe: 'dns', endpoint: 'other' }, { url: 'http://169.254.169.254/' }),
  );
  const count = (wanted: string) => samples().filter(({ kind }) => kind === wanted).length;
  const isEnough = () => count('tcp') > 3 && count('dns') > 3 && count('client') > 1;
  const { last, told, io } = await runFor(2500, link, fakeDisk(), {}, isEnough);
  const all = samples();
  const tcp = all.filter(({ kind }) => kind === 'tcp');
  expect(tcp.length).toBeGreaterThan(3);
  for (const sample of tcp)
    expect(sample).toMatchObject({ endpoint: 'api', agent: 'agent-1', verdict: 'ok', outcome: 'answered' });
  expect(all.filter(({ kind, endpoint }) => kind === 'dns' && endpoint === 'other').length).toBeGreaterThan(3);
  const client = all.filter(({ kind }) => kind === 'client');
  expect(client.length).toBeGreaterThan(1);
  expect(client[0]).toMatchObject({
    endpoint: 'agent-1',
    verdict: 'ok',
    metrics: { spoolBatches: expect.any(Number), droppedSamples: 0 },
  });
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  for (const status of [...told, last]) expect(agentStatus.safeParse(status).error).toBeUndefined();
  expect(last).toMatchObject({
    state: 'stopped',
    alarm: null,
    health: { jobs: 2, refusedJobs: 1, spool: { batches: 0 } },
  });
  expect(last.health.server.acknowledgedSamples).toBe(all.length);
  expect(io.stderr()).toMatch(/job job-2 is refused: 169\.254\.169\.254 is link-local/);
});

test('works through an outage, also one that it starts in, by the last list of jobs', async () => {
  const { server, link, samples } = memoryServer(jobsOf({}));
  const disk = fakeDisk();
  await runFor(1500, link, disk);
  const before = samples().length;
  server.isAway = true;
  const { last } = await runFor(1500, link, disk, {
    deadMan: { missedAcks: 1, patienceMs: 0 },
    sender: { inFlight: 2, firstBackOffMs: 50, maxBackOffMs: 100 },
  });
  expect(samples()).toHaveLength(before);
  expect(last.health.spool.samples).toBeGreaterThan(2);
  expect(last.alarm).toMatchObject({ why: 'away' });
  server.isAway = false;
  const waiting = last.health.spool.samples;
  await runFor(1500, link, disk);
  const all = samples();
  expect(all.length).toBeGreaterThanOrEqual(before + waiting);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
});

test('leaves its state where a monitor of files finds it', async () => {
  const { link } = memoryServer(jobsOf({}));
  const { disk } = await runFor(800, link);
  const read = (name: string) => disk.contents().get(`/state/${name}`)!.toString();
  expect(agentStatus.parse(JSON.parse(read('status.json'))).state).toBe('stopped');
  expect(read('status.prom')).toMatch(/^inferpath_agent_alarm\{agent="[^"]+"\} 0$/m);
  expect(read('status.prom')).toMatch(/^inferpath_agent_acknowledged_samples_total\{agent="[^"]+"\} \d+$/m);
});

test('a full disk costs nothing while the server takes batches from memory', async () => {
  const { link, samples } = memoryServer(jobsOf({}));
  const disk = fakeDisk();
  disk.capacity = 0;
  const { last } = await runFor(1500, link, disk, {}, () => samples().length > 3);
  expect(samples().length).toBeGreaterThan(3);
  expect(last.health.spool).toMatchObject({ diskFault: 'ENOSPC', droppedSamples: 0, batches: 0 });
});
