import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { dnsProbe } from '../../measure/dns.ts';
import { tcpProbe } from '../../measure/tcp.ts';
import type { RunnableJob } from './jobs.ts';
import { placeAnswers, runJob } from './run-job.ts';
import type { Io } from '../../wire/io.ts';
import { withSharedSockets } from './shared-sockets.ts';
import { guarded, targetPolicy } from './target-policy.ts';
import { Uplink } from './uplink.ts';

let server: Server;
let open = '';
let closed = '';
beforeAll(async () => {
  const listen = async () => {
    const made = createServer((socket) => socket.end());
    await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
    return made;
  };
  server = await listen();
  open = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gone = await listen();
  closed = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((done) => gone.close(done));
});
afterAll(async () => {
  server.close();
  await shared.close();
});

const real = fakeIo({ realClock: true });
const shared = withSharedSockets(real);
/** An outside world of its own over one transport for all tests: its thread takes long to start. */
const makeIo = (hosts: NonNullable<Parameters<typeof fakeIo>[0]>['hosts'] = {}) => ({
  ...fakeIo({ realClock: true, hosts }),
  sockets: shared.io.sockets,
});

const tcpJob = (place: string): RunnableJob => ({
  id: 'tcp',
  everyMs: 1000,
  endpoint: 'api',
  url: new URL(`http://${place}/`),
  probe: tcpProbe,
  options: tcpProbe.options.parse({ count: 1, timeoutMs: 2000 }),
});
const run = (job: RunnableJob, answers: boolean | null, io: Io = makeIo(), signal = new AbortController().signal) => {
  const uplink = new Uplink(io.clock, () => Promise.resolve(answers ?? false));
  if (answers !== null) uplink.watch(['gateway.test:53']);
  return runJob(job, { agent: 'agent-1', io, uplink, lagMs: 7 }, signal);
};

test('a job gives a sample with how late it started', async () => {
  const [sample, ...more] = await run(tcpJob(open), null);
  expect(more).toEqual([]);
  expect(sample).toMatchObject({
    endpoint: 'api',
    kind: 'tcp',
    outcome: 'answered',
    verdict: 'ok',
    metrics: { scheduleLagMs: 7 },
  });
  expect(sample!.metrics.rttMs).toBeGreaterThan(0);
});

test('a failure is bad while the own uplink works, and unknown while it does not', async () => {
  expect(await run(tcpJob(closed), true)).toMatchObject([{ outcome: 'refused', verdict: 'bad' }]);
  expect(await run(tcpJob(closed), null)).toMatchObject([{ outcome: 'refused', verdict: 'bad' }]);
  expect(await run(tcpJob(closed), false)).toMatchObject([{ outcome: 'refused', verdict: 'unknown' }]);
  expect(await run(tcpJob(open), false)).toMatchObject([{ outcome: 'answered', verdict: 'ok' }]);
});

test('a name that leads to a refused address is unknown, not bad, and says why', async () => {
  const hosts = { 'api.test': [{ address: '169.254.169.254', family: 4 as const }] };
  const io = guarded(makeIo(hosts), targetPolicy([]));
  const job = { ...tcpJob(open), url: new URL('http://api.test/') };
  for (const probe of [tcpProbe, dnsProbe]) {
    const [sample] = await run({ ...job, probe, options: probe.options.parse({}) }, null, io);
    expect(sample).toMatchObject({
      outcome: 'failed',
      verdict: 'unknown',
      detail: expect.stringContaining('169.254.169.254'),
    });
  }
});

test('what the stop of the agent cut short is left out', async () => {
  expect(await run(tcpJob(open), null, makeIo(), AbortSignal.abort())).toEqual([]);
});

test('a place of the uplink answers by yes or by no', async () => {
  const io = makeIo();
  const { signal } = new AbortController();
  expect(await placeAnswers(open, io, signal)).toBe(true);
  expect(await placeAnswers(closed, io, signal)).toBe(true);
  expect(await placeAnswers('nowhere.invalid:1', io, signal)).toBe(false);
  expect(await placeAnswers('not a place', io, signal)).toBe(false);
});
