import { expect, test } from 'vitest';
import { startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import { assessJson } from '../fixtures/cli.ts';

/** Both ways from the office go through one duct. */
const network = (url: string) => `version: 1
vantage: { name: probe, site: office }
sites:
  - { name: office, role: user, users: 100 }
  - { name: hall, role: dc }
endpoints: [{ name: llm, url: "${url}", site: hall, workload: chat }]
riskGroups: [{ name: duct, lengthKm: 40 }]
links:
  - { name: one, from: office, to: hall, lengthKm: 50, capacityGbps: 10, riskGroups: [duct] }
  - { name: two, from: office, to: hall, lengthKm: 60, capacityGbps: 10, riskGroups: [duct] }
`;

test('assess tells what plan finds in a file with links, and is not ready for it', async () => {
  const reflector = await startReflector({ listen: '127.0.0.1:0', tokens: 20, tokenMs: 4 }, plainIo());
  try {
    const few = [
      '--requests',
      '3',
      '--prompt-tokens',
      '100',
      '--max-tokens',
      '10',
      '--pings',
      '1',
      '--ping-interval',
      '5',
    ];
    const { report, code } = await assessJson(['n.yaml', ...few], { files: { 'n.yaml': network(reflector.url) } });
    const single = report.findings.find(({ id }) => id === 'single-point-of-failure');
    expect(single).toMatchObject({ verdict: 'fail', subject: 'office → llm' });
    expect(single?.details.join(' ')).toContain('duct');
    expect(report.ready).toBe('fail');
    expect(code).toBe(1);
  } finally {
    await reflector.stop();
  }
});
