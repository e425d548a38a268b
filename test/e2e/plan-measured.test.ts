import { expect, test } from 'vitest';
import { startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import type { PlanDemand } from '../../src/model/plan/demand.ts';
import { cli } from '../fixtures/cli.ts';

const network = (url: string) => `version: 1
sites:
  - { name: users, role: user, users: 1000, utcOffsetHours: 0 }
  - { name: hall, role: dc }
endpoints: [{ name: llm, url: "${url}", site: hall, workload: chat-all }]
workloads:
  - { name: chat-all, class: chat, traffic: { requestsPerUserHour: 36 } }
`;

async function measure(url: string): Promise<string> {
  const few = [
    '--requests',
    '8',
    '--prompt-tokens',
    '200',
    '--max-tokens',
    '20',
    '--pings',
    '1',
    '--ping-interval',
    '5',
  ];
  return (await cli(['assess', 'n.yaml', ...few, '--json'], { files: { 'n.yaml': network(url) } })).stdout;
}

test('what was measured takes the place of what is published or assumed, and says so; what was entered stays', async () => {
  const reflector = await startReflector({ listen: '127.0.0.1:0', tokens: 20, tokenMs: 4 }, plainIo());
  try {
    const { url } = reflector;
    const json = await measure(url);
    const plan = async (text: string, ...args: string[]) => {
      const files = { 'n.yaml': text, 'm.json': json };
      const ran = await cli(['plan', 'demand', 'n.yaml', ...args, '--json'], { files });
      expect(ran.stderr).toBe('');
      return (JSON.parse(ran.stdout) as PlanDemand).flows.find((f) => f.part === 'answer stream')!;
    };
    const [before, after] = [await plan(network(url)), await plan(network(url), '--observations', 'm.json')];
    const inputs = (flow: typeof before) => flow.figures.flatMap((f) => f.inputs ?? []);
    expect(inputs(before).some((i) => i.includes('(measured)'))).toBe(false);
    for (const name of ['event = ', 'tokens per second = ', 'tokens per event = '])
      expect(inputs(after).find((i) => i.startsWith(name))).toContain('(measured)');
    const entered = network(url).replace('requestsPerUserHour: 36', 'requestsPerUserHour: 36, tokensPerS: 31');
    expect(inputs(await plan(entered, '--observations', 'm.json'))).toContain('tokens per second = 31 1/s (entered)');
    const broken = await cli(['plan', 'demand', 'n.yaml', '--observations', 'm.json'], {
      files: { 'n.yaml': network(url), 'm.json': '{"schema":"inferpath/plan@1"}' },
    });
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('m.json: observations:');
  } finally {
    await reflector.stop();
  }
});
