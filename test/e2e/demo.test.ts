import { describe, expect, test } from 'vitest';
import { cli, startCli } from '../fixtures/cli.ts';
import { newMark } from '../fixtures/marked.ts';
import { skipLab } from '../lab/lab-needs.ts';

/** Demo runs cost many seconds each; this is the most that one may take before it counts as stuck. */
const timeout = 170_000;

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const mark = newMark();
  return { ...startCli(['assess', '--demo', ...args], { env: { ...env, ...mark.env } }), alive: mark.alive };
}

describe.skipIf(skipLab)('the demo in an emulated network, interrupted', () => {
  test('while it starts, it ends with 130 and leaves no process behind', { timeout }, async () => {
    const { ended, alive, said, child } = start([]);
    await said('starting 3 reflectors');
    expect(alive().length).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '' });
    expect(alive()).toEqual([]);
  });
});

describe('the demo on loopback', () => {
  test('says why and what that means, prints the matrix, exits 0', { timeout }, async () => {
    // Without unshare(1) on the PATH there is no lab, as on a machine without the privilege.
    const quick = ['--concurrency', '100', '--max-tokens', '2', '--pings', '10'];
    const { ended, alive } = start(quick, { PATH: '/nonexistent' });
    const { code, stdout, stderr } = await ended;
    expect(stderr).toMatch(/^no emulated network: .*unshare.*\n.*will show as server time\.\n/);
    expect(stdout).toMatch(/speed +scale +reliability +reach +security/);
    for (const name of ['edge', 'far', 'busy']) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
    expect(code).toBe(0);
    expect(alive()).toEqual([]);
  });
});

describe('what the demo cannot heed is a mistake', () => {
  test.each([
    [['--class', 'voice'], '--class: found with emulated endpoints; allowed: with endpoints that exist'],
    [['--auth-env', 'KEY'], '--auth-env: found with emulated endpoints'],
    [['-n', '5'], '--requests: found with emulated endpoints'],
    [['--demo', 'http://127.0.0.1:9'], '--demo: found "http://127.0.0.1:9" beside it; allowed: alone'],
  ])('assess %j', async (args, words) => {
    const { code, stdout, stderr } = await cli(['assess', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`inferpath assess: ${words}`);
  });
});

test('serve refuses a file whose endpoints no agent could reach', async () => {
  const { code, stdout, stderr } = await startCli(['serve', 'examples/quickstart.yaml', '--listen', '127.0.0.1:0'])
    .ended;
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('endpoint edge is emulated, and no agent can reach it');
});
