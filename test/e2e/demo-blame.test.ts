import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { published, startCli } from '../fixtures/cli.ts';
import { newMark, procFile } from '../fixtures/marked.ts';
import { skipLab } from '../lab/lab-needs.ts';

// These have the machine to themselves (vitest.config.ts): one is held against the truth of its network, the other waits until there is
// something to print. The rest is in demo.test.ts.

describe.skipIf(skipLab)('the demo in an emulated network', () => {
  test('exits 0, blames the right party for each, and leaves nothing behind', { timeout: 170_000 }, async () => {
    const { env, alive } = newMark();
    const { ended } = startCli(['assess', '--demo', '--json', '--vantage', 'newcomer'], { env });
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
    expect(alive()).toEqual([]);
  });

  test(
    'interrupted while it measures it prints what it has, ends with 130, leaves nothing',
    { timeout: 170_000 },
    async () => {
      const { env, alive } = newMark();
      const { ended, child } = startCli(['assess', '--demo'], { env });
      const assessing = (pid: string) => procFile(pid, 'cmdline').includes('quickstart.yaml');
      await vi.waitUntil(() => alive().some(assessing), { timeout: 60_000, interval: 50 });
      // Requests begin about two seconds later; how many there are is not what is tested.
      await sleep(4000);
      child.kill('SIGINT');
      const { code, stdout } = await ended;
      expect(code).toBe(130);
      expect(stdout).toMatch(/interrupted[\s\S]*speed +scale/i);
      expect(alive()).toEqual([]);
    },
  );
});
