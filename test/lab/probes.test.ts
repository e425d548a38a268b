import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { observation, type ObservationOf } from '../../src/model/observation.ts';
import { fakeIo } from '../fakes/io.ts';
import { programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';
import { NOBODY } from './nobody.ts';

const RUNNER = programOf(new URL('run-probe.ts', import.meta.url));
const LISTEN = ['node', '-e', "require('net').createServer((s) => s.end()).listen(7041, '::')"];
/** client ─5 ms─ r1 ─10 ms─ r2 ─2 ms─ server; r3, behind r1, is silent; lossy drops a fifth on its way in. */
const RTT_MS = { r1: 10, r2: 30, server: 34 };
/** What the emulation itself may add to a median round trip on a busy machine; a busy event loop would add twice as much. */
const SLACK_MS = 10;
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

interface Circumstances {
  family?: 4 | 6;
  /** Words put before the command, to change its user. */
  as?: readonly string[];
  port?: number;
  mood?: 'calm' | 'busy';
}

describe.skipIf(skipLab)('probes on an emulated path', () => {
  let lab: Lab;

  beforeAll(async () => {
    const topology = {
      hosts: [
        { name: 'client' },
        { name: 'server', command: LISTEN, readyPort: 7041 },
        { name: 'lossy', command: LISTEN, readyPort: 7041 },
        { name: 'shy', command: LISTEN, readyPort: 7041 },
      ],
      routers: [{ name: 'r1' }, { name: 'r2' }, { name: 'r3', icmp: false }],
      links: [
        { a: 'client', b: 'r1', delayMs: 5 },
        { a: 'r1', b: 'r2', delayMs: 10 },
        { a: 'r2', b: 'server', delayMs: 2 },
        { a: 'r2', b: 'lossy', delayMs: 1, ab: { loss: 0.2 } },
        { a: 'r1', b: 'r3', delayMs: 1 },
        { a: 'r3', b: 'shy', delayMs: 1 },
      ],
    };
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function run<K extends 'ping' | 'trace'>(
    kind: K,
    host: string,
    options: object,
    { family = 4, as = [], port = 7041, mood = 'calm' }: Circumstances = {},
  ): Promise<ObservationOf<K>[]> {
    const address = lab.addressOf(host, family);
    const url = `http://${family === 6 ? `[${address}]` : address}:${port}/`;
    const command = [...as, process.execPath, ...RUNNER, kind, url, JSON.stringify(options), mood];
    const { code, stdout, stderr } = await lab.run('client', command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    return lines.map((line) => observation.parse(JSON.parse(line)) as ObservationOf<K>);
  }

  const expectRtts = (pings: readonly ObservationOf<'ping'>[], count: number) => {
    expect(pings).toHaveLength(count);
    const rtts = pings.flatMap(({ rttMs }) => rttMs ?? []);
    expect(rtts).toHaveLength(count);
    expect(Math.min(...rtts)).toBeGreaterThanOrEqual(RTT_MS.server);
    expect(median(rtts)).toBeLessThan(RTT_MS.server + SLACK_MS);
  };

  const expectPath = ([trace]: readonly ObservationOf<'trace'>[], family: 4 | 6) => {
    expect(trace?.reached).toBe(true);
    expect(trace?.hops.map(({ address }) => address)).toEqual(
      ['r1', 'r2', 'server'].map((name) => lab.addressOf(name, family)),
    );
    for (const [i, trueMs] of Object.values(RTT_MS).entries()) {
      const rttMs = trace?.hops[i]?.rttMs ?? Number.NaN;
      expect(rttMs).toBeGreaterThanOrEqual(trueMs);
      expect(rttMs).toBeLessThan(trueMs + 3 * SLACK_MS);
    }
  };

  test.each([4, 6] as const)('ping by ICMP measures the distance over IPv%d', async (family) => {
    const pings = await run('ping', 'server', { count: 20, intervalMs: 20, method: 'icmp' }, { family });
    expectRtts(pings, 20);
    expect(pings.filter(({ how }) => how.includes('kernel TX and kernel RX')).length).toBeGreaterThanOrEqual(19);
  });

  test.each([4, 6] as const)('ping by TCP measures the distance over IPv%d', async (family) => {
    expectRtts(await run('ping', 'server', { count: 20, intervalMs: 20, method: 'tcp-connect' }, { family }), 20);
  });

  test('a reset is a round trip, too', async () => {
    const pings = await run('ping', 'server', { count: 10, intervalMs: 20, method: 'tcp-connect' }, { port: 7042 });
    expect(pings.map(({ outcome }) => outcome.kind)).toEqual(Array.from({ length: 10 }, () => 'refused'));
    expectRtts(pings, 10);
  });

  test.each(['icmp', 'tcp-connect'] as const)(
    'a busy event loop does not show in the round trips of %s',
    async (method) => {
      expectRtts(await run('ping', 'server', { count: 20, intervalMs: 20, method }, { mood: 'busy' }), 20);
    },
  );

  test.each([
    ['1 0', 'tcp-connect', 'ping_group_range'],
    ['0 65534', 'icmp', 'ping socket'],
  ])('as nobody, with ping_group_range "%s", ping goes by %s and says so', async (range, method, said) => {
    await lab.run('client', ['sh', '-c', `echo '${range}' > /proc/sys/net/ipv4/ping_group_range`]);
    const pings = await run('ping', 'server', { count: 5, intervalMs: 20 }, { as: NOBODY });
    expectRtts(pings, 5);
    for (const ping of pings) {
      expect(ping.method).toBe(method);
      expect(ping.how).toContain(said);
    }
  });

  test.each(['icmp', 'tcp-connect'] as const)(
    'loss is counted by %s: one record per probe, none of them late',
    async (method) => {
      const count = 200;
      const pings = await run('ping', 'lossy', { count, intervalMs: 10, timeoutMs: 500, method });
      expect(new Set(pings.map(({ sequence }) => sequence)).size).toBe(count);
      const lost = pings.filter(({ outcome }) => outcome.kind === 'lost').length;
      const answered = pings.filter(({ outcome }) => outcome.kind === 'answered').length;
      expect(lost + answered).toBe(count);
      // Loss of 20 % of 200: outside 16 … 68 less often than once in a million runs.
      expect(lost).toBeGreaterThan(15);
      expect(lost).toBeLessThan(69);
    },
  );

  test.each([
    ['tcp-connect', 4],
    ['tcp-connect', 6],
    ['udp', 4],
    ['udp', 6],
  ] as const)('trace by %s finds the routers over IPv%d as nobody', async (method, family) => {
    expectPath(await run('trace', 'server', { method }, { family, as: NOBODY }), family);
  });

  test.each(['tcp-connect', 'udp'] as const)('trace by %s leaves a silent router open and goes on', async (method) => {
    const [trace] = await run('trace', 'shy', { method }, { as: NOBODY });
    expect(trace?.reached).toBe(true);
    expect(trace?.hops.map(({ address }) => address)).toEqual([lab.addressOf('r1'), null, lab.addressOf('shy')]);
  });
});
