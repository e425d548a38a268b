import { describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { type HopReport, type TraceReport, traceReport } from '../../src/model/trace-report.ts';
import { program } from '../fixtures/programs.ts';
import { loadScenario, type Scenario } from '../scenarios/scenario.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

interface Traced {
  report: TraceReport;
  stderr: string;
  truth: Scenario['truth'];
  /** Name of the node that answered at a TTL of the path; `*` for nobody. */
  nodeAt(hop: HopReport): string;
  /** TTL of a node on the way there. */
  ttlOf(node: string): number;
}

/** `inferpath trace` to the server of a scenario, by SYNs to a closed port: resets are not limited as ICMP is. */
async function traceIn(name: string, ...args: string[]): Promise<Traced> {
  const { topology, truth } = loadScenario(name);
  const lab: Lab = await startLab(topology, { io: labIo });
  try {
    const target = `${lab.addressOf('server', 4)}:7041`;
    const command = [process.execPath, ...program, 'trace', target, '--algorithm', 'single', '--json', ...args];
    const { code, stdout, stderr } = await lab.run('client', command);
    expect(code, stderr).toBe(0);
    const report = traceReport.parse(JSON.parse(stdout));
    const hops = truth.hops ?? truth.versions?.[0]?.hops ?? [];
    return {
      report,
      stderr,
      truth,
      nodeAt: (hop) => (hop.addresses.length === 0 ? '*' : (hops[hop.ttl - 1]?.join('|') ?? '?')),
      ttlOf: (node) => hops.findIndex((names) => names.includes(node)) + 1 || truthTtl(topology, node),
    };
  } finally {
    await lab.stop();
  }
}

/** A silent node is `*` in the hops; in a chain its place is that of its name. */
function truthTtl({ routers }: Scenario['topology'], node: string): number {
  return routers.findIndex((r) => r.name === node) + 1;
}

const often = (count: number) => ['--count', String(count), '--interval', '0.05'];

// What is found, lost and delayed in every network is checked in scenarios.test.ts; here is what only time shows.
describe.skipIf(skipLab)('inferpath trace over time', () => {
  test('silent-and-rate-limited: blames neither', async () => {
    const { report, truth, ttlOf } = await traceIn('silent-and-rate-limited', ...often(80));
    const { hops } = report.paths[0]!;
    const kindOf = (node: string) => hops.find((h) => h.ttl === ttlOf(node))?.loss.kind;
    expect(truth.rateLimited!.map(kindOf)).toEqual(['rate-limited']);
    expect(truth.silent!.map(kindOf)).toEqual(['silent']);
    expect(kindOf('r1')).toBe('none');
    const limited = hops.find((h) => h.loss.kind === 'rate-limited')!;
    expect(limited.loss.answersPerS!).toBeGreaterThan(3);
    expect(limited.loss.answersPerS!).toBeLessThan(7);
  });

  test('per-packet: packets that take turns are one path and no change', async () => {
    const { report, truth, nodeAt, stderr } = await traceIn('per-packet', ...often(50));
    expect(report.changes).toEqual([]);
    expect(stderr).toBe('');
    expect(report.paths).toHaveLength(1);
    expect(report.paths[0]!.hops.map(nodeAt)).toEqual(truth.hops!.map((names) => names.join('|')));
    expect(report.paths[0]!.hops.some((h) => h.addresses.length > 1)).toBe(true);
  });

  test('route-change: is one change, told when and where, and each path keeps its own round trips', async () => {
    const { report, truth, stderr } = await traceIn('route-change', '--duration', '9', '--interval', '0.1');
    expect(report.changes).toHaveLength(1);
    const lengths = truth.versions!.map((v) => v.hops.length);
    const [now, before] = report.paths;
    expect([before!.hops.length, now!.hops.length]).toEqual(lengths);
    expect([before!.isCurrent, now!.isCurrent]).toEqual([false, true]);
    expect(report.changes[0]).toMatchObject({ from: before!.id, to: now!.id });
    expect(report.changes[0]!.hops[0]!.ttl).toBe(2);
    // 12 ms against 40 ms there and back.
    expect(before!.hops.at(-1)!.rtts!.maxMs).toBeLessThan(now!.hops.at(-1)!.rtts!.minMs);
    expect(stderr).toMatch(new RegExp(`^\\S+ path ${before!.id} → ${now!.id} \\(flow \\d+\\): hop 2 `));
  });

  test('plain by UDP: a host that limits its port unreachables has no loss for that', async () => {
    const { report } = await traceIn('plain', '--protocol', 'udp', '--count', '40', '--interval', '0.05');
    const { loss, hops } = report.paths[0]!;
    expect(hops.at(-1)!.isTarget).toBe(true);
    // The server is a Linux host: it answers some at once and then one per second.
    expect(loss.share).toBeGreaterThan(0.5);
    expect(loss).toMatchObject({ kind: 'undetermined', after: null, by: null });
    expect(report.verdict.join('\n')).toMatch(/loss is undetermined: .*--protocol tcp/);
  });
});
