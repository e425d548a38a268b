import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { RedundancyReport } from '../../model/plan/redundancy.ts';
import { runCli } from '../run.ts';

const page = readFileSync(new URL('../../../docs/plan/redundancy.md', import.meta.url), 'utf8');
/** The network of the worked example: the one place where it stands is the page. */
const example = /```yaml\n(version: 1\n[^]*?)```/.exec(page)![1]!;

async function run(args: string[], text = example) {
  const io = fakeIo({ files: { 'n.yaml': text } });
  const code = await runCli(['plan', 'redundancy', ...args], io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

async function report(args: string[] = [], text?: string): Promise<RedundancyReport> {
  return JSON.parse((await run(['n.yaml', '--json', ...args], text)).stdout) as RedundancyReport;
}

describe('plan redundancy', () => {
  test('prints what its page says', async () => {
    const { code, stdout } = await run(['n.yaml', '--from', 'office', '--to', 'chat']);
    expect(code).toBe(1);
    for (const block of page.matchAll(/```text\n([^]*?)```/g)) expect(stdout).toContain(block[1]);
  });

  test('knows a pair without a shared link, and proves that none is without the shared duct', async () => {
    const [service] = (await report(['--from', 'office', '--to', 'chat'])).services;
    const by = (apart: string) => service!.pairs.find((pair) => pair.apart === apart)!;
    expect(by('link')).toMatchObject({ status: 'found', lengthKm: 230, atLeastKm: 230 });
    expect(by('group')).toMatchObject({
      status: 'none',
      by: 'everyPath',
      blockedBy: [{ kind: 'group', name: 'bridge' }],
    });
    expect(by('group').leastShared).toMatchObject({ isLeast: true, shared: [{ name: 'bridge' }] });
    expect(service!.singlePoints.map(({ name }) => name)).toEqual(['bridge', 'dc']);
    expect(service!.simulation.agrees).not.toBe(false);
  });

  test('says for each change what it buys, and takes prices from quotes only', async () => {
    const { changes, changesTried } = await report();
    expect(changesTried).toBeGreaterThan(3);
    const bought = changes.map(({ buys }) => buys[0]!.before - buys[0]!.after);
    expect(bought.every((minutes) => minutes > 0)).toBe(true);
    expect(bought).toEqual(bought.toSorted((a, b) => b - a));
    for (const { id, cost } of changes) expect(cost !== undefined).toBe(id === 'take-quote');
    expect(changes.find(({ id }) => id === 'take-quote')).toMatchObject({
      target: 'tunnel',
      cost: { monthly: 900, currency: 'EUR' },
    });
  });

  test('makes the change that it proposes, and gets what it said', async () => {
    const { changes } = await report();
    const said = changes.find(({ id, target }) => id === 'other-duct' && target === 'north')!.buys[0]!;
    const moved = example.replace('lengthKm: 100, riskGroups: [bridge]', 'lengthKm: 100');
    expect(moved).not.toBe(example);
    const after = (await report([], moved)).services[0]!.downMinutesPerYear.high;
    expect(after).toBeCloseTo(said.after, 4);
  });

  test('finds for every service what fails, passes or is not known', async () => {
    const { findings } = await report();
    expect(findings.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'availability-target fail',
      'single-point-of-failure fail',
      'no-disjoint-pair fail',
    ]);
    const fine = example.replace('[bridge] }', '[] }').replace('availability: 0.9999', 'availability: 0.99');
    const better = await report([], fine);
    expect(better.findings.find(({ id }) => id === 'no-disjoint-pair')!.verdict).toBe('pass');
    expect(better.findings.find(({ id }) => id === 'availability-target')!.verdict).toBe('pass');
  });

  test('fits the terminal', async () => {
    const { stdout } = await run(['n.yaml']);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('tells what was wrong with the arguments', async () => {
    const said = async (args: string[]) => {
      const { code, stderr } = await run(args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await said([])).toContain('neither a network file nor --graphml');
    expect(await said(['n.yaml', '--from', 'office'])).toContain('one of --from and --to');
    expect(await said(['n.yaml', '--from', 'nowhere', '--to', 'chat'])).toContain('--from: found "nowhere"');
    expect(await said(['n.yaml', '--from', 'office', '--to', 'nowhere'])).toContain('--to: found "nowhere"');
    expect(await said(['n.yaml', '--from', 'dc', '--to', 'chat'])).toContain('at "dc" itself');
  });

  test('that is stopped prints what it has and ends with 130', async () => {
    const io = fakeIo({ files: { 'n.yaml': example } });
    const stop = new AbortController();
    stop.abort();
    const stopped = { ...io, signals: { ...io.signals, interrupted: stop.signal } };
    expect(await runCli(['plan', 'redundancy', 'n.yaml', '--json'], stopped)).toBe(130);
    expect(JSON.parse(io.stdout())).toMatchObject({ interrupted: true, services: [], changesTried: 1 });
  });
});
