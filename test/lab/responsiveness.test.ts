import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import { responsivenessReport } from '../../src/model/responsiveness.ts';
import { fakeIo } from '../fakes/io.ts';
import { program } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

const INFERPATH = [process.execPath, ...program];
/** A sender that fills queues, whatever this machine uses by default: BBR would leave most of a bloated one empty. */
const CUBIC = 'echo cubic > /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null;';
const REFLECT = [
  'sh',
  '-c',
  `${CUBIC} exec "$@"`,
  'sh',
  ...INFERPATH,
  'reflect',
  '--responsiveness',
  '--listen',
  '[::]:7443',
];

const QUEUE_MS = 400;
/** client ── bloated, client ── managed: both 20 Mbit/s, 10 ms and a queue of 400 ms, which CoDel keeps short in the second. */
const topology = {
  hosts: [
    { name: 'client' },
    { name: 'bloated', command: REFLECT, readyPort: 7443 },
    { name: 'managed', command: REFLECT, readyPort: 7443 },
  ],
  routers: [{ name: 'r' }],
  links: [
    { a: 'client', b: 'r' },
    { a: 'r', b: 'bloated', delayMs: 5, rateMbit: 20, queueMs: QUEUE_MS },
    { a: 'r', b: 'managed', delayMs: 5, rateMbit: 20, queueMs: QUEUE_MS, aqm: 'codel' as const },
  ],
};

describe.skipIf(skipLab)('responsiveness over an emulated bottleneck', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  }, 60_000);
  afterAll(async () => {
    await lab.stop();
  });

  async function measure(host: string, flags: readonly string[]) {
    const url = `https://${lab.addressOf(host)}:7443`;
    const command = [...INFERPATH, 'responsiveness', url, '--insecure', '--json', '--interval', '1', ...flags];
    const { code, stdout, stderr } = await lab.run('client', ['sh', '-c', `${CUBIC} exec "$@"`, 'sh', ...command]);
    return { code, stderr, report: responsivenessReport.parse(JSON.parse(stdout)) };
  }

  test('a bloated queue is poor in both directions, a managed one several times better on the same link', async () => {
    const bloated = await measure('bloated', ['--duration', '11', '--probes', '10']);
    const managed = await measure('managed', ['--duration', '5', '--probes', '10', '--connections', '4']);
    for (const { code, stderr, report } of [bloated, managed]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(report.directions.map(({ direction }) => direction)).toEqual(['download', 'upload']);
      for (const { goodputMbit, probes, outcome } of report.directions) {
        expect(outcome).toEqual({ kind: 'answered' });
        // 20 Mbit/s of IP packets: the moving average cannot be more, but for what lay in queues when an interval began.
        expect(goodputMbit).toBeLessThan(25);
        expect(goodputMbit).toBeGreaterThan(2);
        expect(probes.foreign).toBeGreaterThan(5);
        expect(probes.self).toBeGreaterThan(5);
      }
    }
    for (const [i, { rpm, grade, trimmedMeans }] of bloated.report.directions.entries()) {
      expect({ rpm, grade }).toEqual({ rpm, grade: 'poor' });
      // Handshakes of TCP are kernels' work alone: a busy machine does not show in them.
      expect(trimmedMeans!.tcpMs).toBeGreaterThan(QUEUE_MS / 3);
      expect(managed.report.directions[i]!.trimmedMeans!.tcpMs).toBeLessThan(trimmedMeans!.tcpMs / 2);
      expect(managed.report.directions[i]!.rpm).toBeGreaterThan(rpm!);
    }
    expect(bloated.report.idle!.tcpMs).toBeGreaterThanOrEqual(10);
    expect(bloated.report.idle!.tcpMs).toBeLessThan(100);
  });

  test('limits end it, and say so', async () => {
    const { report } = await measure('managed', ['--direction', 'download', '--max-bytes', '3M']);
    expect(report.directions).toHaveLength(1);
    expect(report.directions[0]).toMatchObject({ ended: 'bytes', confidence: { responsiveness: 'low' } });
    // It looks five times a second: at 20 Mbit/s half a megabyte may come meanwhile, on a busy machine more.
    expect(report.directions[0]!.bytes).toBeLessThan(20_000_000);
  });
});
