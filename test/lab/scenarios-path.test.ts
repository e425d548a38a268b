import { describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import type { MtuReport } from '../../src/model/mtu-report.ts';
import type { PingReport } from '../../src/model/ping-report.ts';
import type { ThroughputReport } from '../../src/model/throughput.ts';
import { published } from '../fixtures/cli.ts';
import { program } from '../fixtures/programs.ts';
import { loadScenario, type Scenario, scenarioNames } from '../scenarios/scenario.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

/** ping, mtu and throughput in the networks whose truth is declared and proven; trace is in scenarios.test.ts. */
const LISTEN = ['node', '-e', "require('net').createServer((s) => s.end()).listen(7041, '::')"];
const SERVE = [process.execPath, ...program, 'throughput', '--serve', '--listen', '0.0.0.0:7041'];
/** What a busy machine adds to a median. */
const SLACK_MS = 15;
const PINGS = 200;

async function inLab<T>({ topology }: Scenario, command: string[], work: (lab: Lab) => Promise<T>): Promise<T> {
  const hosts = topology.hosts.map((host) => (host.name === 'server' ? { ...host, command, readyPort: 7041 } : host));
  const lab = await startLab({ ...topology, hosts }, { io: labIo });
  try {
    return await work(lab);
  } finally {
    await lab.stop();
  }
}

async function run<T>(lab: Lab, name: string, words: readonly string[]): Promise<T> {
  const command = [process.execPath, ...program, name, ...words, '--json'];
  const { stdout, stderr } = await lab.run('client', command, { timeoutMs: 100_000 });
  expect(stdout, stderr).not.toBe('');
  return published(name, stdout) as T;
}

const having = (key: keyof Scenario['truth']) =>
  scenarioNames.map(loadScenario).filter(({ truth }) => truth[key] !== undefined);
const named = (scenarios: readonly Scenario[]) => scenarios.map((scenario) => [scenario.name, scenario] as const);

/** Four standard deviations of a share: one run in 16,000 lies outside. */
const around = (share: number, n: number) => 4 * Math.sqrt((share * (1 - share)) / n);

describe.skipIf(skipLab).concurrent('inferpath ping tells the truth of', () => {
  const plain = ['plain', 'asymmetric-return', 'slow-control-plane', 'ecmp-both-ways'].map(loadScenario);
  const cases = named([...plain, ...having('loss'), ...having('duplicates'), ...having('reordered')]);

  test.each(cases)('%s', async (_, scenario) => {
    await inLab(scenario, LISTEN, async (lab) => {
      const { truth } = scenario;
      // A packet that is held back must find another one on the way to be overtaken by.
      const interval = truth.reordered === undefined ? '0.01' : '0.002';
      const words = [lab.addressOf('server'), '--method', 'icmp', '--count', String(PINGS), '--interval', interval];
      const report = await run<PingReport>(lab, 'ping', words);
      const [target] = report.targets;
      expect(target?.sent).toBe(PINGS);
      const leastMs = truth.rttMs?.['server'];
      if (leastMs !== undefined) {
        expect(target?.rtt?.minMs).toBeGreaterThanOrEqual(leastMs);
        expect(target?.rtt?.medianMs).toBeLessThan(leastMs + SLACK_MS);
      }
      const loss = truth.loss ? 1 - (1 - truth.loss.there) * (1 - truth.loss.back) : 0;
      // A packet or two of two hundred may be lost to a busy machine.
      expect(Math.abs((target?.loss?.share ?? 1) - loss)).toBeLessThanOrEqual(around(loss, PINGS) + 0.01);
      if (truth.duplicates === undefined) expect(target?.duplicates).toBe(0);
      else {
        const share = (target?.duplicates ?? 0) / PINGS;
        expect(Math.abs(share - truth.duplicates)).toBeLessThanOrEqual(around(truth.duplicates, PINGS));
      }
      if (truth.reordered !== undefined) expect(target?.reordered).toBeGreaterThan(0);
    });
  });
});

describe.skipIf(skipLab).concurrent('inferpath mtu tells the truth of', () => {
  test.each(named(having('mtu')))('%s', async (_, scenario) => {
    await inLab(scenario, LISTEN, async (lab) => {
      const { there, back, at, confirmed } = scenario.truth.mtu!;
      const report = await run<MtuReport>(lab, 'mtu', [`${lab.addressOf('server')}:7041`]);
      const { forward } = report.results.at(-1)!;
      // An echo comes back as large as it went, so a narrower way back may hide what the way there would carry.
      expect(forward.confirmedBytes).toBeLessThanOrEqual(there);
      expect(forward.confirmedBytes).toBeGreaterThanOrEqual(Math.min(there, back));
      if (at === undefined || back < there) return;
      expect(forward.verdict).toBe(confirmed ? 'icmp-confirmed' : 'black-hole');
    });
  });
});

describe.skipIf(skipLab)('inferpath throughput tells the truth of', () => {
  test.each(named(having('throughput')))('%s', async (_, scenario) => {
    await inLab(scenario, SERVE, async (lab) => {
      const { mbit, queueMs } = scenario.truth.throughput!;
      const target = `${lab.addressOf('server')}:7041`;
      // CUBIC fills the queue that is there; BBR, a machine's default perhaps, leaves it empty.
      const words = [target, '--duration', '4', '--omit', '1', '--congestion', 'cubic'];
      const { test } = await run<ThroughputReport>(lab, 'throughput', words);
      // What is counted is payload; headers take 4 % of a packet.
      expect(test?.directions[0]?.mbitPerS).toBeLessThanOrEqual(mbit);
      expect(test?.directions[0]?.mbitPerS).toBeGreaterThan(mbit * 0.7);
      const { increaseMs, grade } = test!.latency!;
      if (queueMs === undefined) return expect(increaseMs).toBeLessThan(120);
      expect(increaseMs).toBeGreaterThan(queueMs / 3);
      expect(increaseMs).toBeLessThan(queueMs + 60);
      expect(['C', 'D', 'F']).toContain(grade);
    });
  });
});
