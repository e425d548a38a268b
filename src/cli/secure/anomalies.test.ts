import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { AnomaliesReport } from '../../model/secure/anomalies.ts';
import { runCli } from '../run.ts';

const flow = (from: string, to: string, port = 8000) => ({
  from,
  to,
  protocol: 'tcp',
  port,
  direction: 'in',
  seen: 3,
  denied: 0,
});
const drift = (hour: number, flows: unknown[], listeners: unknown[] = []) =>
  JSON.stringify({
    schema: 'inferpath/policy-drift@1',
    measuredAt: `2026-11-27T${String(hour).padStart(2, '0')}:00:00.000Z`,
    snapshot: { samples: 1, listeners, flows },
  });
const exposure = (hour: number, authentication: string, openPaths: string[]) =>
  JSON.stringify({
    schema: 'inferpath/secure-exposure@1',
    startedAt: `2026-11-27T${String(hour).padStart(2, '0')}:30:00.000Z`,
    services: [
      {
        address: '10.0.0.9',
        port: 8000,
        engine: 'vllm',
        auth: authentication,
        checks: [{ path: '/v1/models', answer: 'closed' }, ...openPaths.map((path) => ({ path, answer: 'open' }))],
      },
      { address: '10.0.0.9', port: 22, engine: null, auth: 'unknown', checks: [] },
    ],
  });
const tls = (hour: number, kind: string, group: string, keySha256?: string) =>
  JSON.stringify({
    schema: 'inferpath/secure-tls@1',
    startedAt: `2026-11-27T${String(hour).padStart(2, '0')}:40:00.000Z`,
    endpoints: [
      {
        name: 'eu-chat',
        verdict: { kind, group },
        survey: { chains: [{ certificates: [{ notAfter: '2027-11-27T00:00:00Z', keySha256 }] }] },
      },
    ],
  });

const usual = [flow('10.0.0.1', '10.0.0.9')];
const network = `version: 1
endpoints: [{ name: a, url: 'http://127.0.0.1:9' }]
security: { ranges: [{ cidr: 10.0.0.0/24 }] }
`;
const files = {
  'day-1.json': drift(1, usual),
  'day-2.json': drift(2, usual),
  'now.json': drift(3, [...usual, flow('10.0.0.9', '10.7.0.1', 443), flow('10.0.0.66', '10.0.0.9')]),
  'open-1.json': exposure(1, 'enforced', []),
  'open-2.json': exposure(2, 'partial', ['/invocations']),
  'tls-1.json': tls(1, 'pq-default', 'X25519MLKEM768', 'aa11'),
  'tls-2.json': tls(2, 'classical', 'x25519', 'bb22'),
  'n.yaml': network,
  'broken.json': '{',
  'other.json': '{"schema":"inferpath/ping@1"}',
};

async function run(args: string[], columns = 80) {
  const io = fakeIo({ files, columns });
  const code = await runCli(['secure', 'anomalies', ...args], io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

describe('secure anomalies', () => {
  test('judges the newest look of each kind, whatever the order of the files', async () => {
    const all = ['now.json', 'tls-2.json', 'open-2.json', 'day-2.json', 'open-1.json', 'day-1.json', 'tls-1.json'];
    const { code, stdout } = await run([...all, '--network', 'n.yaml', '--json']);
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as AnomaliesReport;
    expect(report.findings.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'auth-became-open 10.0.0.9:8000',
      'inference-egress-first-seen 10.0.0.9',
      'tls-group-downgrade eu-chat',
      'tls-key-changed eu-chat',
      'flow-first-seen 10.0.0.9:8000/tcp',
      'flow-first-seen 10.7.0.1:443/tcp',
    ]);
    expect(report.inference).toEqual(['10.0.0.9']);
    expect(report.rules.find(({ id }) => id === 'flow-first-seen')).toMatchObject({ learnt: 2, asked: 2, found: 2 });
  });

  test('without a network file only public addresses are outside; nothing unlike ends with 0', async () => {
    const { stdout } = await run(['day-1.json', 'now.json', '--inference', '10.0.0.9', '--json']);
    expect((JSON.parse(stdout) as AnomaliesReport).findings.map(({ id }) => id)).not.toContain(
      'inference-egress-first-seen',
    );
    expect((await run(['day-1.json', 'day-2.json'])).code).toBe(0);
  });

  test.each([60, 80, 120])('prints findings and rules within %i columns', async (columns) => {
    const { stdout } = await run(['day-1.json', 'day-2.json', 'now.json'], columns);
    expect(stdout).toContain('2 things unlike before');
    if (columns >= 80) expect(stdout).toContain('needs 9 looks, has 3');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('names every file that is no look, and what a wrong flag may be', async () => {
    const { code, stderr } = await run(['broken.json', 'other.json', 'day-1.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/broken\.json: found no JSON/);
    expect(stderr).toMatch(/other\.json: schema: /);
    expect((await run(['day-1.json', '--inference', '10.0.0/8'])).stderr).toContain('allowed: an address or a CIDR');
    expect((await run(['absent.json'])).stderr).toContain('absent.json');
  });
});
