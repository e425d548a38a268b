import { expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import { engineeringReport } from '../../model/plan/engineering.ts';
import { failuresReport } from '../../model/plan/failures.ts';
import { planDemand } from '../../model/plan/demand.ts';
import { planTransport } from '../../model/plan/transport.ts';
import { cli } from '../../../test/fixtures/cli.ts';

const network = `version: 1
vantage: { name: probe, site: ams }
sites:
  - { name: ams, role: dc, location: { lat: 52.4, lon: 4.9 } }
  - { name: fra, role: dc, location: { lat: 50.1, lon: 8.7 } }
endpoints: [{ name: llm, url: "https://llm.example", site: fra }]
carriers: [{ name: north }]
links: [{ name: ams-fra, from: ams, to: fra, capacityGbps: 10, carrier: north, kind: wavelength }]
demands: [{ name: copies, from: ams, to: fra, gbps: 4 }]
requirements: [{ from: ams, to: fra, maxRttMs: 20 }]
quotes: [{ name: more, from: ams, to: fra, kind: wavelength, carrier: north, capacityGbps: 10, monthly: 1, setup: 1, rttMs: 6 }]
`;
const head = {
  at: '2026-01-01T00:00:00.000Z',
  from: 'probe',
  to: 'llm',
  how: 'test',
  outcome: { kind: 'answered' },
  address: '192.0.2.1',
} as const;
const observations: Observation[] = [
  { ...head, kind: 'ping', method: 'icmp', sequence: 1, rttMs: 9 },
  {
    ...head,
    kind: 'transfer',
    protocol: 'udp',
    direction: 'up',
    streams: 1,
    targetMbitPerS: 9000,
    senderMbitPerS: 9000,
    receiverMbitPerS: 4500,
    bytes: null,
    durationS: 10,
    retransmits: null,
    congestion: null,
    loadedRtt: null,
    udp: { packets: 1000, lost: 500, jitterMs: 0.1 },
    intervals: [],
  },
];
const files = { 'n.yaml': network, 'm.json': JSON.stringify({ observations }) };

async function plan(part: string, ...more: string[]): Promise<unknown> {
  const { stdout, stderr } = await cli(['plan', part, 'n.yaml', ...more, '--json'], { files });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}
const measured = ['--observations', 'm.json'];

test('plan engineering holds the load against what was measured, and says which number is which', async () => {
  const before = engineeringReport.parse(await plan('engineering', '--load', 'mean'));
  const after = engineeringReport.parse(await plan('engineering', '--load', 'mean', ...measured));
  expect(before.shortestPath.maxUtilisation).toBeCloseTo(0.4, 9);
  expect(before.capacities).toEqual([]);
  expect(after.shortestPath.maxUtilisation).toBeCloseTo(4 / 4.5, 9);
  expect(after.capacities).toMatchObject([
    { link: 'ams-fra', entered: 10, is: 'limited', counted: { value: 4.5, origin: 'measured' } },
  ]);
  expect(after.findings.find(({ id }) => id === 'capacity-measured')).toMatchObject({
    verdict: 'fail',
    subject: 'ams-fra',
  });
});

test('plan demand holds the demand of two sites against what was measured between them', async () => {
  const verdictOf = (report: unknown) => planDemand.parse(report).findings.map(({ id, verdict }) => [id, verdict]);
  expect(verdictOf(await plan('demand'))).toContainEqual(['demand-over-link', 'pass']);
  const after = planDemand.parse(await plan('demand', ...measured));
  expect(verdictOf(after)).toContainEqual(['demand-over-link', 'fail']);
  const finding = after.findings.find(({ verdict }) => verdict === 'fail')!;
  expect(finding.details.join()).toContain('ams-fra: 4.5 Gbit/s measured where 10 Gbit/s are entered');
  expect(finding.evidence[1]).toMatchObject({ value: 3.6, how: 'measured capacity × planning.maxUtilisation' });
});

test('plan failures counts the round trip that was measured', async () => {
  const report = failuresReport.parse(await plan('failures', ...measured));
  expect(report.pairs.lengths).toBe('round trip of each link by measured between its sites (1)');
  expect(report.demands!.notes.join()).toContain(
    'ams-fra: 9 ms measured (one round trip), 5.4 ms assumed; the measured one counts',
  );
});

test('plan transport shows what is there today, and what the carrier kept of its word', async () => {
  const [choice] = planTransport.parse(await plan('transport', ...measured)).choices;
  expect(choice!.today).toMatchObject({
    links: ['ams-fra'],
    rttMs: { value: 9, origin: 'measured' },
    capacityGbps: { value: 4.5, origin: 'measured' },
  });
  expect(
    choice!.options.find(({ quote }) => quote === 'more')!.constraints.find(({ about }) => about === 'latency')!.claim,
  ).toBe('6 ms are promised, but 9 ms were measured over ams-fra, the same from the same carrier; 20 ms allowed');
  expect(choice!.options.find(({ kind }) => kind === 'darkFibre')!.rttMs).toMatchObject({
    value: 9,
    origin: 'measured',
  });
  const { stdout } = await cli(['plan', 'transport', 'n.yaml', ...measured], { files });
  expect(stdout).toMatch(/today {1,3}ams-fra; 4\.5 Gbit\/s \(measured\)/);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
