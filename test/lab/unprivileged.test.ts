import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import type { MtuReport } from '../../src/model/mtu-report.ts';
import type { PingReport } from '../../src/model/ping-report.ts';
import type { TraceReport } from '../../src/model/trace-report.ts';
import { published } from '../fixtures/cli.ts';
import { program } from '../fixtures/programs.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';
import { NOBODY } from './nobody.ts';

const LISTEN = ['node', '-e', "require('net').createServer((s) => s.end()).listen(7041, '::')"];
/** client ─3 ms─ r1 ─5 ms, 1400 octets─ r2 ─1 ms─ server. */
const RTT_MS = 18;
const MTU_BYTES = 1400;
/** What a busy machine adds to a median. */
const SLACK_MS = 10;

describe.skipIf(skipLab)('the command line as an ordinary user', () => {
  let lab: Lab;
  beforeAll(async () => {
    const topology = {
      hosts: [{ name: 'client' }, { name: 'server', command: LISTEN, readyPort: 7041 }],
      routers: [{ name: 'r1' }, { name: 'r2' }],
      links: [
        { a: 'client', b: 'r1', delayMs: 3 },
        { a: 'r1', b: 'r2', delayMs: 5, mtu: MTU_BYTES },
        { a: 'r2', b: 'server', delayMs: 1 },
      ],
    };
    lab = await startLab(topology, { io: labIo });
    // Ping sockets off, as a new machine has it: the least that a user may do.
    await lab.run('client', ['sh', '-c', "echo '1 0' > /proc/sys/net/ipv4/ping_group_range"]);
  });
  afterAll(async () => {
    await lab.stop();
  });

  /** Runs the program in the client without any privilege and reads its document. */
  async function run<T>(name: string, words: readonly string[]): Promise<T> {
    const command = [...NOBODY, process.execPath, ...program, name, ...words, '--json'];
    const { code, stdout, stderr } = await lab.run('client', command, { timeoutMs: 100_000 });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return published(name, stdout) as T;
  }
  const server = (family: 4 | 6) => (family === 4 ? lab.addressOf('server') : `[${lab.addressOf('server', 6)}]`);

  test('is really without privilege', async () => {
    const { stdout } = await lab.run('client', [
      ...NOBODY,
      'sh',
      '-c',
      'id -u; cat /proc/sys/net/ipv4/ping_group_range',
    ]);
    expect(stdout.split(/\s+/).slice(0, 3)).toEqual(['65534', '1', '0']);
  });

  test.each([4, 6] as const)('ping gets round trips over IPv%d and says by which way', async (family) => {
    const report = await run<PingReport>('ping', [`${server(family)}:7041`, '--count', '10', '--interval', '0.05']);
    const [target] = report.targets;
    expect(target).toMatchObject({ sent: 10, answered: 10 });
    expect(target?.rtt?.minMs).toBeGreaterThanOrEqual(RTT_MS);
    expect(target?.rtt?.medianMs).toBeLessThan(RTT_MS + SLACK_MS);
    expect(report.how).toMatch(/connect|ping socket|UDP/i);
  });

  test.each([4, 6] as const)('trace by TCP to the very port finds the routers over IPv%d', async (family) => {
    const report = await run<TraceReport>('trace', [
      `${server(family)}:7041`,
      '--protocol',
      'tcp',
      '--count',
      '3',
      '--interval',
      '0.1',
    ]);
    const seen = report.paths[0]?.hops.map((hop) => hop.addresses.map(({ address }) => address));
    expect(seen).toEqual(['r1', 'r2', 'server'].map((name) => [lab.addressOf(name, family)]));
  });

  test.each([4, 6] as const)('mtu finds the narrow link over IPv%d, and who named it', async (family) => {
    const report = await run<MtuReport>('mtu', [`${server(family)}:7041`]);
    expect(report.results.at(-1)?.forward).toMatchObject({
      verdict: 'icmp-confirmed',
      confirmedBytes: MTU_BYTES,
      by: lab.addressOf('r1', family),
    });
  });
});
