import { describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { traceReport } from '../../src/model/trace-report.ts';
import { program } from '../fixtures/programs.ts';
import { loadScenario, scenarioNames } from '../scenarios/scenario.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';
import { namer, traceChecks } from './trace-checks.ts';

/** The path commands in networks whose truth is known. What must hold is one line per check in trace-checks.ts. */
const LISTEN = ['node', '-e', "require('net').createServer((s) => s.end()).listen(7041, '::')"];
const MANY_ROUNDS = ['--protocol', 'tcp', '--count', '150', '--interval', '0.02'];
const TWELVE_ROUNDS = ['--protocol', 'tcp', '--count', '12', '--interval', '0.05'];

/** What each scenario needs beyond the common flags. */
const extra: Record<string, readonly string[]> = {
  'lossy-last-mile': MANY_ROUNDS,
  'lossy-middle': MANY_ROUNDS,
  'lossy-return': MANY_ROUNDS,
  'silent-and-rate-limited': MANY_ROUNDS,
  // Of a SYN, the checksum that gives the translation away is not looked at.
  'nat-traces': ['--protocol', 'udp', '--count', '1'],
};
/** No truth about one path, or a truth that this command is not about: to a trace they are plain chains. */
const otherTruths =
  'flapping-link route-change nat-raw-quotes dscp-bleached jumbo duplicates reordering mtu-asymmetric mtu-black-hole ' +
  'mtu-black-hole-back mtu-two-steps mtu-confirmed bufferbloat bufferbloat-managed';
/** Traced by every method in trace.test.ts, and larger ones of the same kind are here. */
const tracedElsewhere = 'ecmp-2 ecmp-4 flow-label meshed-diamond';
const untraced = new Set([...otherTruths.split(' '), ...tracedElsewhere.split(' ')]);

async function inLab<T>(scenario: string, work: (lab: Lab) => Promise<T>): Promise<T> {
  const { topology } = loadScenario(scenario);
  const hosts = topology.hosts.map((host) =>
    host.name === 'server' ? { ...host, command: LISTEN, readyPort: 7041 } : host,
  );
  const lab = await startLab({ ...topology, hosts }, { io: labIo });
  try {
    return await work(lab);
  } finally {
    await lab.stop();
  }
}

describe.skipIf(skipLab).concurrent('inferpath trace tells the truth of', () => {
  // One family each, alternately: the engine's proofs hold for both.
  const cases = scenarioNames
    .filter((name) => !untraced.has(name))
    .map((name, index) => [name, index % 2 === 0 ? 4 : 6] as const);

  test.each(cases)('%s over IPv%i', async (name, family) => {
    const { truth } = loadScenario(name);
    await inLab(name, async (lab) => {
      const address = lab.addressOf('server', family);
      const target = family === 4 ? `${address}:7041` : `[${address}]:7041`;
      const flags = ['--json', '--confidence', '0.999', '--flows', '512', '--budget', '20'];
      const rounds = extra[name] ?? TWELVE_ROUNDS;
      const command = [process.execPath, ...program, 'trace', target, ...flags, ...rounds];
      const { stdout, stderr } = await lab.run('client', command);
      expect(stdout, stderr).not.toBe('');
      const traced = { report: traceReport.parse(JSON.parse(stdout)), truth, nameOf: namer(lab.plan) };
      const mistakes = Object.entries(traceChecks).flatMap(([what, check]) =>
        check(traced).map((mistake) => `${what}: ${mistake}`),
      );
      expect(mistakes).toEqual([]);
    });
  });
});
