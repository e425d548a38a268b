import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeDisk, type FakeDisk } from '../../../test/fakes/durable-files.ts';
import { type FakeIo, fakeIo } from '../../../test/fakes/io.ts';
import { memoryDocuments, memoryStore } from '../../../test/fakes/memory-store.ts';
import { Configuration } from '../configuration.ts';
import { Authorities } from '../pki/authorities.ts';
import { fetchAuthority } from '../pki/pin.ts';
import { someNetwork } from '../serve.case.ts';
import { type RunningServer, startServer } from '../server.ts';
import { httpExchange } from './http-exchange.ts';
import { enroll, identityPath, type Identity, readIdentity, writeIdentity } from './identity.ts';
import { runRemoteAgent } from './remote-agent.ts';
import { targetPolicy } from './target-policy.ts';

const by = { actor: 'test', address: null };
let target: Server;
let server: RunningServer;
let store: ReturnType<typeof memoryStore>;
let authorities: Authorities;
let seed = 0;

function clockedIo(): FakeIo {
  const io = fakeIo({ realClock: true, seed: ++seed });
  return { ...io, clock: { ...io.clock, wallMs: () => Date.now() } };
}

beforeEach(async () => {
  target = createServer((socket) => socket.end());
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
  const network = someNetwork({
    endpoints: [{ name: 'api', url }],
    watch: { schedule: [{ probe: 'tcp', every: '100ms' }] },
  });
  const io = clockedIo();
  const documents = memoryDocuments();
  store = memoryStore();
  authorities = await Authorities.open('ca.json', io);
  const configuration = await Configuration.open(documents, () => Promise.resolve(network));
  const place = { host: '127.0.0.1', port: 0 };
  server = await startServer(
    { web: place, agents: place, names: [] },
    { io, version: '0', documents, store, configuration, authorities },
  );
});
afterEach(async () => {
  await server.stop();
  target.close();
});

async function enrolled(disk: FakeDisk, name = 'edge'): Promise<Identity> {
  const { token, pin } = await server.context.agents!.invite(name, by);
  const { port } = server.agents!;
  const ca = await fetchAuthority('127.0.0.1', port, pin);
  const io = clockedIo();
  const http = httpExchange({
    server: new URL(`https://127.0.0.1:${port}`),
    identity: () => ({ authorities: ca }),
    clock: io.clock,
    timeoutMs: 10_000,
  });
  const request = { name, server: `https://127.0.0.1:${port}`, token, wallMs: () => Date.now() };
  const identity = await enroll(http.exchange, request, new AbortController().signal);
  http.close();
  await writeIdentity(disk, '/state', identity);
  return identity;
}

async function runFor(ms: number, identity: Identity, disk: FakeDisk) {
  const io = clockedIo();
  const last = await runRemoteAgent(
    identity,
    {
      version: '0.0.0',
      io,
      files: disk,
      directory: '/state',
      rules: { policy: targetPolicy(['127.0.0.0/8']), keyFor: () => ({ why: 'none' }) },
      cpuMs: () => process.cpuUsage().user / 1000,
      pace: { batchEveryMs: 200, healthEveryMs: 400, pollEveryMs: 300 },
      sender: { inFlight: 2, firstBackOffMs: 100, maxBackOffMs: 200 },
    },
    AbortSignal.timeout(ms),
  );
  return { last, io };
}
const stored = async () => (await store.samples({ fromMs: 0, toMs: Date.now() + 1e6, limit: 10_000 })).samples;

test('enrols, measures what the server says, and every result it has an acknowledgement for is in the store once', async () => {
  const disk = fakeDisk();
  const { last } = await runFor(2500, await enrolled(disk), disk);
  const samples = await stored();
  expect(samples.filter(({ kind, endpoint }) => kind === 'tcp' && endpoint === 'api').length).toBeGreaterThan(3);
  expect(samples.filter(({ kind, endpoint }) => kind === 'client' && endpoint === 'edge').length).toBeGreaterThan(1);
  expect(last.health.server).toMatchObject({ acknowledgedSamples: samples.length, trouble: null });
  const [low, high] = last.health.clockOffsetMs!;
  expect(low).toBeLessThanOrEqual(0);
  expect(high).toBeGreaterThanOrEqual(0);
  expect(Date.parse(last.health.certificateUntil!) - Date.now()).toBeGreaterThan(23 * 3_600_000);
});

test('renews its certificate when two thirds of its life are over, with a new key, and goes on', async () => {
  const disk = fakeDisk();
  const first = await enrolled(disk);
  const { last } = await runFor(2000, { ...first, renewAtMs: Date.now() - 1 }, disk);
  const next = (await readIdentity(disk, '/state'))!;
  expect(next.certificate).not.toBe(first.certificate);
  expect(next.key).not.toBe(first.key);
  expect(next.renewAtMs).toBeGreaterThan(Date.now() + 15 * 3_600_000);
  expect(last.health.server.trouble).toBeNull();
  expect((await runFor(1200, next, disk)).last.health.server).toMatchObject({ trouble: null, failuresInARow: 0 });
});

test('takes part in a change of the authority', async () => {
  const disk = fakeDisk();
  const first = await enrolled(disk);
  await authorities.rotate(3_600_000);
  await runFor(1500, { ...first, renewAtMs: Date.now() - 1 }, disk);
  const next = (await readIdentity(disk, '/state'))!;
  expect(next.authorities.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});

test('an agent that was revoked says so once, keeps its results, and delivers them when it is enrolled again', async () => {
  const disk = fakeDisk();
  const identity = await enrolled(disk);
  await server.context.agents!.revoke('edge', by);
  const { last, io } = await runFor(2000, identity, disk);
  expect(last.health.spool.samples).toBeGreaterThan(3);
  expect(await stored()).toEqual([]);
  expect(io.stderr().match(/error: the server does not know this agent any more/g)).toHaveLength(1);
  await runFor(1500, await enrolled(disk), disk);
  expect((await stored()).length).toBeGreaterThanOrEqual(last.health.spool.samples);
});

test('an identity that is no identity is told, never replaced', async () => {
  const disk = fakeDisk();
  expect(await readIdentity(disk, '/state')).toBeNull();
  await disk.create(identityPath('/state'), Buffer.from('{"version":1}'));
  await expect(readIdentity(disk, '/state')).rejects.toThrow(/no identity of an agent/);
});

test('a token works once, and a refusal is told in the words of the server', async () => {
  const disk = fakeDisk();
  const identity = await enrolled(disk);
  const io = clockedIo();
  const http = httpExchange({
    server: new URL(identity.server),
    identity: () => ({ authorities: identity.authorities }),
    clock: io.clock,
    timeoutMs: 10_000,
  });
  const again = enroll(
    http.exchange,
    { name: 'edge', server: identity.server, token: `ifpe_${'A'.repeat(43)}`, wallMs: () => Date.now() },
    new AbortController().signal,
  );
  await expect(again).rejects.toMatchObject({
    name: 'EnrollmentError',
    status: 401,
    message: expect.stringMatching(/HTTP 401/),
  });
  http.close();
});
