import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { Finding } from '../../model/finding.ts';
import { plannedNetwork } from '../../model/network.ts';
import { securedFindings } from './secured-findings.ts';

const network = plannedNetwork.parse({
  version: 1,
  endpoints: [{ name: 'chat', url: 'https://h' }],
  security: {
    hops: [
      { name: 'wan', between: ['a', 'b'], layers: [{ kind: 'none' }] },
      { name: 'edge', endpoint: 'chat' },
    ],
  },
});
const finding = (id: string, verdict: Finding['verdict'], subject: string, claim = 'x'): Finding => ({
  id,
  verdict,
  subject,
  claim,
  severity: 'warning',
  pillar: 'security',
  details: [],
  evidence: [],
  confidence: 'high',
  coverage: 1,
});
const tls = {
  schema: 'inferpath/secure-tls@1',
  startedAt: '2026-01-01T00:00:00Z',
  endpoints: [{ name: 'chat', verdict: { kind: 'pq-default', group: 'X25519MLKEM768', reason: 'r' } }],
  findings: [finding('pq-key-exchange', 'pass', 'chat'), finding('tls-profile', 'fail', 'chat', 'bad\u001b[31m')],
};

test('reports and the network file say together what is not as it should be, and reports are evidence for hops', async () => {
  const io = fakeIo({ files: { 'tls.json': JSON.stringify(tls) } });
  const found = await securedFindings(network, ['tls.json'], io);
  expect(found.map(({ id, subject, verdict }) => `${id} ${subject} ${verdict}`)).toEqual([
    'pq-key-exchange chat pass',
    'tls-profile chat fail',
    'hop-encryption wan fail',
    'hop-quantum wan fail',
    'hop-encryption edge unknown',
  ]);
  expect(found[1]!.claim).not.toContain('\u001b');
  expect(found[1]!.details.at(-1)).toBe(
    'From a report of inferpath (inferpath/secure-tls@1 of 2026-01-01T00:00:00Z), not measured in this run.',
  );
});

test('a file that names no hop and no report has nothing to say', async () => {
  expect(
    await securedFindings(
      plannedNetwork.parse({ version: 1, endpoints: [{ name: 'a', url: 'https://h' }] }),
      [],
      fakeIo(),
    ),
  ).toEqual([]);
});

test.each([
  ['{', /--secure: f\.json: .*allowed/],
  ['{"schema":"inferpath/assess@1","findings":[]}', /is no such report/],
  ['{"schema":"inferpath/secure-tls@1","findings":[{"id":"x"}]}', /--secure: f\.json: findings\.0/],
])('%s is refused', async (text, says) => {
  await expect(securedFindings(network, ['f.json'], fakeIo({ files: { 'f.json': text } }))).rejects.toThrow(says);
});
