import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { cli, published, startCli } from '../fixtures/cli.ts';
import { skipLab } from '../lab/lab-needs.ts';

const marker = 'INFERPATH_TEST_RUN';
/** Demo runs cost many seconds each; this is the most that one may take before it counts as stuck. */
const timeout = 170_000;

/** A file of /proc; empty when the process is gone, or somebody else's: not ours in either case. */
function procFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** Processes that carry our mark in their environment: the demo, its reflectors, its assessment, whatever they started. */
function alive(mark: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const marked = pids.filter((pid) => procFile(pid, 'environ').includes(`${marker}=${mark}`));
  return marked.filter((pid) => !/^State:\tZ/m.test(procFile(pid, 'status')));
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, before: readonly string[] = []) {
  const mark = randomUUID();
  return { mark, ...startCli(['assess', '--demo', ...args], { env: { ...env, [marker]: mark }, before }) };
}

describe.skipIf(skipLab)('the demo in an emulated network', () => {
  test('exits 0, blames the right party for each, and leaves nothing behind', { timeout }, async () => {
    const { ended, mark } = start(['--json', '--vantage', 'newcomer']);
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('emulated network') });
    const report = published('assess', stdout);
    expect(report).toMatchObject({ vantage: 'newcomer', ready: 'fail', interrupted: false });
    const blame = Object.fromEntries(report.endpoints.map((e) => [e.name, e.blame]));
    const why = report.endpoints.map((e) => `${e.name}: ${e.blameWhy}`).join('\n');
    expect(blame, why).toMatchObject({ far: 'network', busy: 'server' });
    // Other work on this machine may make its server late, which is then rightly the server's, or hold up the emulated
    // network, which is then truly jitter; tokens late by the network it is not.
    if (blame['edge'] === 'network') expect(why).toMatch(/^edge: the network itself misses: network-jitter$/m);
    for (const { answered, requests } of report.endpoints) expect(answered).toBe(requests);
    expect(alive(mark)).toEqual([]);
  });

  test('interrupted while it starts it ends with 130 and leaves no process behind', { timeout }, async () => {
    const { ended, mark, said, child } = start([]);
    await said('starting three reflectors');
    expect(alive(mark).length).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '' });
    expect(alive(mark)).toEqual([]);
  });

  test('interrupted while it measures it prints what it has, ends with 130, leaves nothing', { timeout }, async () => {
    const { ended, mark, child } = start([]);
    const assessing = (pid: string) => procFile(pid, 'cmdline').includes('quickstart.yaml');
    await vi.waitUntil(() => alive(mark).some(assessing), { timeout: 60_000, interval: 50 });
    // Requests begin about two seconds later; how many there are is not what is tested.
    await sleep(4000);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/interrupted[\s\S]*speed +scale/i);
    expect(alive(mark)).toEqual([]);
  });
});

describe('the demo on loopback', () => {
  test('says why and what that means, prints the matrix, exits 0', { timeout }, async () => {
    // Without unshare(1) on the PATH there is no lab, as on a machine without the privilege.
    const quick = ['--concurrency', '100', '--max-tokens', '2', '--pings', '10'];
    const { ended, mark } = start(quick, { PATH: '/nonexistent' });
    const { code, stdout, stderr } = await ended;
    expect(stderr).toMatch(/^no emulated network: .*unshare.*\n.*will show as server time\.\n/);
    expect(stdout).toMatch(/speed +scale +reliability +reach +security/);
    for (const name of ['edge', 'far', 'busy']) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
    expect(code).toBe(0);
    expect(alive(mark)).toEqual([]);
  });
});

describe('what the demo cannot heed is a mistake', () => {
  test.each([
    [['--class', 'voice'], '--class: found without an endpoint; allowed: with a network file or URLs, as the demo has'],
    [['--auth-env', 'KEY'], '--auth-env: found without an endpoint'],
    [['-n', '5'], '--requests: found without an endpoint'],
    [['--demo', 'http://127.0.0.1:9'], '--demo: found "http://127.0.0.1:9" beside it; allowed: alone'],
  ])('assess %j', async (args, words) => {
    const { code, stdout, stderr } = await cli(['assess', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`inferpath assess: ${words}`);
  });
});
