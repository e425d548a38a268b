import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { type PingReport, pingReport } from '../../src/model/ping-report.ts';
import { fakeIo } from '../fakes/io.ts';
import { program, programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

/** Port 7041 accepts; 7042 answers whatever it gets by a TLS alert, and is asked for first. */
const SERVE = `const { createServer } = require('net');
createServer((s) => s.on('error', () => {}).once('data', () => s.end(Buffer.from([21, 3, 3, 0, 2, 2, 70])))).listen(7042, '::', () =>
  createServer((s) => s.end()).listen(7041, '::'));`;
const LISTEN = ['node', '-e', SERVE];
const STALLED = programOf(new URL('../../bench/ping-accuracy/stalled.ts', import.meta.url));
/** client ─5 ms─ r1 ─10 ms─ each server. */
const RTT_MS = 30;
/** What the emulation itself may add to a median round trip on a busy machine. */
const SLACK_MS = 10;
/** An ordinary user, who may open no raw socket, but may read this checkout even where it lies in root's home. */
const NOBODY = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  ...['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+dac_override`),
  '--securebits=+no_setuid_fixup',
];

describe.skipIf(skipLab)('inferpath ping on an emulated path', () => {
  let lab: Lab;

  beforeAll(async () => {
    const topology = {
      hosts: [
        { name: 'client' },
        { name: 'server', command: LISTEN, readyPort: 7041 },
        { name: 'lossy' },
        { name: 'messy' },
      ],
      routers: [{ name: 'r1' }],
      links: [
        { a: 'client', b: 'r1', delayMs: 5 },
        { a: 'r1', b: 'server', delayMs: 10 },
        { a: 'r1', b: 'lossy', delayMs: 10, ab: { loss: 0.3 } },
        { a: 'r1', b: 'messy', delayMs: 10, ab: { duplicate: 0.3, reorder: 0.3, reorderMs: 50 } },
      ],
    };
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function ping(words: readonly string[], as: readonly string[] = [], cli = program): Promise<PingReport> {
    const command = [...as, process.execPath, ...cli, 'ping', ...words, '-i', '0.02', '--json'];
    const { stdout, stderr } = await lab.run('client', command);
    expect(stdout, stderr).toMatch(/^\{.*\}\n$/s);
    return pingReport.parse(JSON.parse(stdout));
  }

  function expectRoundTrips({ targets: [target] }: PingReport, count: number): void {
    expect(target).toMatchObject({ sent: count, answered: count });
    expect(target?.rtt?.minMs).toBeGreaterThanOrEqual(RTT_MS);
    expect(target?.rtt?.medianMs).toBeLessThan(RTT_MS + SLACK_MS);
  }

  test.each([
    [4, 'icmp'],
    [6, 'icmp'],
    [4, 'udp'],
    [6, 'udp'],
    [4, 'tcp-syn'],
    [6, 'tcp-syn'],
    [4, 'tls'],
    [6, 'tls'],
  ] as const)('measures the distance over IPv%d by %s', async (family, method) => {
    const address = lab.addressOf('server', family);
    // Linux answers about six datagrams to a closed port at once and then one a second.
    const [port, count] = method === 'udp' ? ['33434', 5] : method === 'tls' ? ['7042', 10] : ['7041', 20];
    const report = await ping([address, '--method', method, '--port', port, '-c', String(count)]);
    expect(report.method).toBe(method);
    // Neither loopback nor the device of the lab is a network card.
    const nic = method === 'tls' ? null : { state: 'notOffered', interfaces: [], roundTrips: 0 };
    expect(report.client.nicStamps).toEqual(nic);
    expectRoundTrips(report, count);
  });

  test.each([4, 6] as const)(
    'measures it over IPv%d as nobody, by the real port, a ping socket and a closed port',
    async (family) => {
      const address = lab.addressOf('server', family);
      const target = family === 6 ? `[${address}]:7041` : `${address}:7041`;
      const tcp = await ping([target, '-c', '20'], NOBODY);
      expect(tcp).toMatchObject({ method: 'tcp-connect', how: expect.stringContaining('CAP_NET_RAW is missing') });
      expectRoundTrips(tcp, 20);
      const tls = await ping([address, '--method', 'tls', '--port', '7042', '-c', '10'], NOBODY);
      expect(tls.how).toContain('kernel stamps of sending and receiving');
      expectRoundTrips(tls, 10);
      const icmp = await ping([address, '-c', '20'], NOBODY);
      expect(icmp).toMatchObject({ method: 'icmp', how: expect.stringContaining('ping socket') });
      expectRoundTrips(icmp, 20);
      expectRoundTrips(await ping([address, '--method', 'udp', '-c', '5'], NOBODY), 5);
    },
  );

  test('an event loop that stalls 40 ms of every 50 does not show in the round trips', async () => {
    expectRoundTrips(await ping([lab.addressOf('server'), '-c', '40'], [], STALLED), 40);
  });

  test('loss is inside its interval, and every lost probe is told as lost', async () => {
    const { targets, summary } = await ping([lab.addressOf('lossy'), '-c', '150', '--timeout', '0.5', '--grace', '0']);
    const { loss, lost, answered } = targets[0]!;
    expect(lost + answered).toBe(150);
    expect(summary.lost).toBe(lost);
    expect(loss?.low).toBeLessThan(0.3);
    expect(loss?.high).toBeGreaterThan(0.3);
    expect(loss?.longestRun).toBeGreaterThanOrEqual(1);
  });

  test('duplicates and overtaking are counted and are no loss', async () => {
    const { targets } = await ping([lab.addressOf('messy'), '-c', '80']);
    const { duplicates, reordered, answered } = targets[0]!;
    expect(answered).toBe(80);
    expect(duplicates).toBeGreaterThan(0);
    expect(reordered).toBeGreaterThan(0);
  });

  test('what comes after the wait is late and not lost, and says by how much', async () => {
    const { targets } = await ping([lab.addressOf('server'), '-c', '10', '--timeout', '0.01', '--grace', '1']);
    expect(targets[0]).toMatchObject({ late: 10, lost: 0, answered: 0, loss: { share: 1 }, outcome: { kind: 'late' } });
    const { outcome } = targets[0]!;
    expect(outcome.kind === 'late' && outcome.afterMs >= RTT_MS).toBe(true);
  });
});
