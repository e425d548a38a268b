import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import { expectSplitsHold, published } from '../fixtures/cli.ts';
import { program } from '../fixtures/programs.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

const self = [process.execPath, ...program];
const reflect = (queueMs: number) => {
  const shape = ['--tokens', '4', '--token-ms', '20', '--queue-ms', String(queueMs)];
  return [...self, 'reflect', '--listen', '[::]:7041', ...shape];
};
const sizes = ['--prompt-tokens', '20', '--max-tokens', '4', '-n', '15', '--pings', '20', '--ping-interval', '10'];
/** Round trip to `far`, ms: 2 × (1 + 30). */
const FAR_RTT_MS = 62;
/** What the narrow link before `far` may hold back. */
const QUEUE_MS = 400;

describe.skipIf(skipLab)('inferpath assess across an emulated network', () => {
  let lab: Lab;
  beforeAll(async () => {
    const topology = {
      hosts: [
        { name: 'desk' },
        { name: 'far', command: [...reflect(30), '--stamp-listen', '0.0.0.0:8620'], readyPort: 7041 },
        { name: 'near', command: reflect(580), readyPort: 7041 },
      ],
      routers: [{ name: 'gateway' }, { name: 'edge' }],
      links: [
        { a: 'desk', b: 'gateway', delayMs: 1 },
        { a: 'gateway', b: 'edge', delayMs: 30 },
        { a: 'edge', b: 'far', rateMbit: 50, queueMs: QUEUE_MS, ba: { loss: 0.01 } },
        { a: 'gateway', b: 'near', delayMs: 1 },
      ],
    };
    lab = await startLab(topology, { io: labIo });
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function assess(...args: string[]) {
    const command = [...self, 'assess', ...sizes, '--json', '--concurrency', '2', ...args];
    const { code, stdout, stderr } = await lab.run('desk', command, { timeoutMs: 100_000 });
    return { code, stderr, report: published('assess', stdout) };
  }

  test.each([4, 6] as const)('over IPv%d it finds distance, path and slow server', async (family) => {
    const url = (name: string) => {
      const address = lab.addressOf(name, family);
      return `http://${family === 6 ? `[${address}]` : address}:7041`;
    };
    // A slow server costs the test its time once: over IPv4.
    const urls = family === 4 ? [url('far'), url('near')] : [url('far')];
    const { code, report } = await assess(...urls, '--family', String(family));
    expect(code).toBe(1);
    const [far, near] = report.endpoints;
    expect(report.endpoints.map((e) => e.answered)).toEqual(urls.map(() => 15));

    const rtt = far?.metrics.find((m) => m.metric === 'network RTT p50');
    expect(rtt?.value).toBeGreaterThanOrEqual(FAR_RTT_MS);
    // What a busy machine adds to a median.
    expect(rtt?.value).toBeLessThan(FAR_RTT_MS + 15);
    const [trace] = report.observations.flatMap((o) => (o.kind === 'trace' && o.to === far?.name ? [o] : []));
    expect(trace?.hops.map((hop) => hop.address)).toEqual(
      ['gateway', 'edge', 'far'].map((name) => lab.addressOf(name, family)),
    );
    // 62 ms against the 50 ms of chat; enough time to first token for it, so only the network itself is to blame.
    const failed = (name: string | undefined) =>
      report.findings.filter((f) => f.verdict === 'fail' && f.subject === name).map((f) => f.id);
    expect(failed(far?.name)).toContain('network-rtt');
    if (near) expect(failed(near.name)).not.toContain('network-rtt');
    if (near) expect(near.blame).toBe('server');
    expectSplitsHold(report.observations.flatMap((o) => (o.kind === 'inference' ? [o.request] : [])));
  });

  test('--load fills the path to the reflector, names the full queue and which way loses', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inferpath-load-'));
    const far = lab.addressOf('far');
    const serve = [...self, 'throughput', '--serve', '--listen', '0.0.0.0:5201'];
    const server = lab.spawn('far', serve, { stdio: ['ignore', 'pipe', 'inherit'] });
    const answer = ['reflect', '--responsiveness', '--listen', '0.0.0.0:7443'];
    const answering = lab.spawn('far', [...self, ...answer], { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      await Promise.all([
        once(server.stdout!, 'data'),
        Promise.race([once(answering.stdout!, 'data'), once(answering.stderr!, 'data')]),
      ]);
      const file = join(folder, 'network.yaml');
      const reflector = `{ throughput: '${far}:5201', stamp: '${far}:8620', responsiveness: '${far}:7443' }`;
      await writeFile(
        file,
        `version: 1\nendpoints:\n  - name: far\n    url: http://${far}:7041\n    reflector: ${reflector}\n`,
      );
      const { report, stderr } = await assess(file, '--load', '--insecure');
      expect(report.notes.join(), stderr).not.toContain('names no reflector');
      const find = (id: string) => report.findings.find((f) => f.id === id);
      // Few round trips of a busy machine may leave it open, and then it says how many are missing; it may not keep the queue full either.
      expect(find('bufferbloat')).toMatchObject({ subject: 'far' });
      if (find('bufferbloat')?.verdict !== 'fail')
        expect(find('bufferbloat')?.claim).toMatch(/needs [\d,]+ more round trips? under load/);
      expect(find('bufferbloat')!.evidence[0]!.value).toBeGreaterThan(QUEUE_MS / 8);
      expect(find('network-loss')!.details.join()).toMatch(/0 of 400 packets lost on the way there, [1-9]\d* of/);
      // A busy machine may make the client late, which leaves it open whose delay that is; the numbers are told either way.
      expect(find('responsiveness')?.verdict).not.toBe('pass');
      expect(find('responsiveness')!.evidence.map(({ unit }) => unit)).toContain('RPM');
      const kinds = new Set(report.observations.map((o) => o.kind));
      for (const kind of ['trace', 'mtu', 'stamp', 'throughput', 'responsiveness'] as const)
        expect(kinds).toContain(kind);
    } finally {
      server.kill();
      answering.kill();
      await rm(folder, { recursive: true });
    }
  });

  test('an address without a way there is a failure of reach with the words of the router', async () => {
    const { code, report } = await assess('http://10.99.99.99:7041', '--timeout', '3');
    expect(code).toBe(3);
    expect(report.endpoints[0]).toMatchObject({ answered: 0, cells: { reach: { verdict: 'fail' } } });
    const outcomes = new Set(report.observations.flatMap((o) => (o.kind === 'tcp' ? [o.outcome.kind] : [])));
    expect([...outcomes]).toEqual(['unreachable']);
  });
});
