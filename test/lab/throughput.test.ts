import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { throughputReport, type ThroughputTest } from '../../src/model/throughput.ts';
import { program } from '../fixtures/programs.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

const inferpath = [process.execPath, ...program, 'throughput'];
const SERVE = [...inferpath, '--serve', '--listen', '0.0.0.0:5201'];
/** An ordinary user, who may open no raw socket, but may read this checkout even where it lies in root's home. */
const sets = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+dac_override`);
const NOBODY = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  ...sets,
  '--securebits=+no_setuid_fixup',
];
/** What a busy machine may add to a round trip. */
const SLACK_MS = 25;
const RATE_MBIT = 20;
/** Reno fills any queue, and every user may choose it. */
const TCP = ['-t', '3', '--omit', '1', '--congestion', 'reno'];

describe.skipIf(skipLab)('throughput on an emulated path of 20 Mbit/s and 20 ms', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab(
      {
        hosts: [
          { name: 'client' },
          { name: 'bloated', command: SERVE, readyPort: 5201 },
          { name: 'managed', command: SERVE, readyPort: 5201 },
          { name: 'stock', command: ['iperf3', '-s'], readyPort: 5201 },
        ],
        routers: [{ name: 'r' }],
        links: [
          { a: 'client', b: 'r', delayMs: 1 },
          { a: 'r', b: 'bloated', delayMs: 9, rateMbit: RATE_MBIT, queueMs: 300 },
          { a: 'r', b: 'managed', delayMs: 9, rateMbit: RATE_MBIT, queueMs: 300, aqm: 'codel' },
          { a: 'r', b: 'stock', delayMs: 9, rateMbit: RATE_MBIT, queueMs: 300 },
        ],
      },
      { io: labIo },
    );
  });
  afterAll(async () => {
    await lab.stop();
  });

  const run = async (host: string, args: readonly string[], as: readonly string[] = []): Promise<ThroughputTest> => {
    const command = [...as, ...inferpath, lab.addressOf(host), '--json', ...args];
    const { stdout, stderr } = await lab.run('client', command);
    expect(stderr).toBe('');
    const report = throughputReport.parse(JSON.parse(stdout));
    expect(report.outcome).toEqual({ kind: 'answered' });
    return report.test!;
  };

  test('a long queue shows in the round trip under load, as a bad grade, and the network is named', async () => {
    const { latency, directions } = await run('bloated', TCP);
    const [up] = directions;
    expect(up!.mbitPerS).toBeGreaterThan(0.7 * RATE_MBIT);
    expect(up!.mbitPerS).toBeLessThan(1.1 * RATE_MBIT);
    expect(up!.limitedBy.cause).toBe('network');
    expect(latency!.method).toBe('udp-echo');
    expect(latency!.idle!.medianMs).toBeGreaterThan(19.9);
    expect(latency!.idle!.medianMs).toBeLessThan(20 + SLACK_MS);
    expect(latency!.loaded!.p95Ms).toBeGreaterThan(120);
    expect(latency!.loaded!.p95Ms).toBeLessThan(320 + SLACK_MS + 20);
    expect(['C', 'D']).toContain(latency!.grade);
  });

  test('the way down is measured as well, and the server tells what held it up', async () => {
    const { latency, directions } = await run('bloated', [...TCP, '--reverse']);
    expect(directions[0]).toMatchObject({ direction: 'down', limitedBy: { cause: 'network' } });
    expect(directions[0]!.retransmits).not.toBeNull();
    expect(['C', 'D']).toContain(latency!.grade);
  });

  test('a managed queue of the same link keeps the round trip short, at the same rate', async () => {
    const { latency, directions } = await run('managed', TCP);
    expect(directions[0]!.mbitPerS).toBeGreaterThan(0.6 * RATE_MBIT);
    expect(latency!.loaded!.medianMs).toBeLessThan(60 + SLACK_MS);
    expect(['A+', 'A', 'B']).toContain(latency!.grade);
  });

  test('as an ordinary user against stock iperf3: handshakes show the queue, and do the running test no harm', async () => {
    await lab.run('client', ['sh', '-c', 'echo "1 0" > /proc/sys/net/ipv4/ping_group_range']);
    const { latency, server } = await run('stock', TCP, NOBODY);
    expect(server).toBe('iperf3');
    expect(latency!.method).toBe('tcp-connect');
    expect(latency!.idle!.medianMs).toBeLessThan(20 + SLACK_MS);
    expect(latency!.loaded!.p95Ms).toBeGreaterThan(120);
    expect(['C', 'D']).toContain(latency!.grade);
  });

  test('UDP beyond the rate of the link loses what does not fit', async () => {
    const { directions } = await run('bloated', ['-t', '3', '--udp', '--bitrate', `${2 * RATE_MBIT}M`, '-l', '1200']);
    const { udp, limitedBy } = directions[0]!;
    expect(udp!.lossShare).toBeGreaterThan(0.25);
    expect(udp!.lossShare).toBeLessThan(0.65);
    expect(limitedBy.cause).toBe('network');
  });
});
