import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStampReflector, stampLimits, type StampReflector } from '../../src/lab/reflect/stamp/stamp-reflector.ts';
import { mtuReport, type MtuReport } from '../../src/model/mtu-report.ts';
import type { FakeIoOptions } from '../fakes/io.ts';
import { cli, published, startCli } from '../fixtures/cli.ts';

async function json(
  args: readonly string[],
  options: FakeIoOptions = {},
): Promise<{ code: number; report: MtuReport }> {
  const { code, stdout, stderr } = await cli(['mtu', ...args, '--json'], options);
  expect(stderr).toBe('');
  published('mtu', stdout);
  return { code, report: mtuReport.parse(JSON.parse(stdout)) };
}

let server: Server;
let port = '';
beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  port = String((server.address() as AddressInfo).port);
});
afterAll(() => new Promise<void>((done) => server.close(() => done())));

describe.runIf(process.platform === 'linux')('inferpath mtu on loopback', () => {
  test('--json is one document of the published schema: no limit up to --max, and TCP fits', async () => {
    const { code, report } = await json([`127.0.0.1:${port}`, '--method', 'udp', '--max', '9000', '--expect', '9000']);
    expect(code).toBe(0);
    expect(report).toMatchObject({ expectationMet: true, interrupted: false });
    expect(report.results).toHaveLength(1);
    expect(report.results[0]).toMatchObject({
      method: 'udp',
      interfaceName: 'lo',
      forward: { verdict: 'no-limit', confirmedBytes: 9000, refutedBytes: null },
      tcp: { port: Number(port), advertisedMssBytes: 65_495 },
      outcome: { kind: 'answered' },
    });
  });

  test('over IPv6, and as text', async () => {
    const { code, stdout } = await cli(['mtu', '::1', '--method', 'udp', '--port', port]);
    expect(code).toBe(0);
    expect(stdout).toContain('there  at least 9216 octets  no limit seen');
    expect(stdout).toContain('IPv6');
  });

  test('--method tcp tells the segment size and claims nothing about the path', async () => {
    const { code, report } = await json([`127.0.0.1:${port}`, '--method', 'tcp']);
    expect(code).toBe(0);
    expect(report.results[0]).toMatchObject({ forward: { verdict: 'unknown', confirmedBytes: null }, probes: 0 });
    expect(report.results[0]?.tcp?.kernelMtuBytes).toBeGreaterThan(1500);
    expect((await json([`127.0.0.1:${port}`, '--method', 'tcp', '--expect', '1500'])).code).toBe(3);
  });

  describe('with a STAMP reflector', () => {
    const reflectors: StampReflector[] = [];
    const reflect = async (sizes: boolean) => {
      const policy = { stateful: true, sizes, key: null, limits: stampLimits };
      const reflector = await startStampReflector({ address: '127.0.0.1', port: 0, ...policy });
      reflectors.push(reflector);
      return String(reflector.port);
    };
    afterAll(() => Promise.all(reflectors.map((one) => one.stop())));

    test('that heeds sizes, each direction is measured', async () => {
      const { code, report } = await json(['127.0.0.1', '--method', 'stamp', '--stamp-port', await reflect(true)]);
      expect(code).toBe(0);
      const [one] = report.results;
      expect(one?.forward).toMatchObject({ verdict: 'no-limit', confirmedBytes: 9216 });
      expect(one?.reverse).toMatchObject({ verdict: 'no-limit', confirmedBytes: 9216 });
      expect(one?.reverseLadder.length).toBeGreaterThan(0);
    });

    test('that does not, it is said that both directions count together', async () => {
      const { report } = await json(['127.0.0.1', '--method', 'stamp', '--stamp-port', await reflect(false)]);
      expect(report.results[0]).toMatchObject({ forward: { confirmedBytes: 9216 }, reverse: null });
      expect(report.results[0]?.notes.join()).toContain('--stamp-sizes');
    });

    test('that is not there, it is said at once', async () => {
      const { code, report } = await json(['127.0.0.1', '--method', 'stamp', '--stamp-port', '9']);
      expect(code).toBe(3);
      expect(report.results[0]?.forward.why).toContain('no STAMP reflector there');
      expect(report.durationMs).toBeLessThan(5000);
    });
  });

  test('Ctrl-C prints the bounds so far and ends with 130', async () => {
    // Takes everything and says nothing.
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const asked = once(silent, 'message');
    const words = ['--method', 'stamp', '--stamp-port', String(silent.address().port), '--timeout', '60', '--json'];
    const running = startCli(['mtu', '127.0.0.1', ...words]);
    await asked;
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    silent.close();
    const report = mtuReport.parse(JSON.parse(stdout));
    expect(code).toBe(130);
    expect(report).toMatchObject({ interrupted: true, results: [{ outcome: { kind: 'interrupted' } }] });
    expect(report.durationMs).toBeLessThan(30_000);
  });
});

describe('inferpath mtu', () => {
  test('a name that does not resolve could not be measured', async () => {
    const { code, report } = await json(['nowhere.invalid']);
    expect(code).toBe(3);
    expect(report.results[0]?.outcome).toMatchObject({ kind: 'failed', errno: 'ENOTFOUND' });
  });

  test('elsewhere than on Linux that is said', async () => {
    const { code, report } = await json(['127.0.0.1'], { platform: 'darwin' });
    expect(code).toBe(3);
    expect(report.results[0]?.forward.why).toContain('Linux only, this is darwin');
  });

  test.each([
    [['http://user@host/'], 'a user or password stands in the URL'],
    [['ftp://host'], 'allowed: host'],
    [['host', '--expect', '9217'], 'at most --max, which is 9216'],
    [['host', '--max', '20'], '--max'],
    [['host', '--method', 'pigeon'], '--method'],
    [[], 'target'],
  ])('%j is a usage error that says what is allowed', async (args, said) => {
    const { code, stdout, stderr } = await cli(['mtu', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });
});
