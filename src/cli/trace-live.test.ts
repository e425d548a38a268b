import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { sampleMoment } from '../../test/fixtures/trace-sample.ts';
import { plainPath } from '../judge/path/simulated.case.ts';
import type { TraceViewState } from '../report/trace-screen.ts';
import { runCli } from './run.ts';
import { press } from './trace-live.ts';

const before = plainPath(4);
const moment = sampleMoment({
  hops: plainPath(4).map((h, k) => (k === 1 ? { ...h, addresses: ['10.9.9.9'] } : h)),
  before,
});

function after(...keys: string[]): TraceViewState {
  const state: TraceViewState = { path: 0, ttl: 1, showNames: true, showAsn: true, isPaused: false, pane: 'verdict' };
  for (const key of keys) press(key, state, moment);
  return state;
}

describe('press()', () => {
  test.each([
    [['down', 'j'], { ttl: 3, pane: 'hop' }],
    [['end'], { ttl: 4 }],
    [['end', 'down', 'down'], { ttl: 4 }],
    [['end', 'up', 'k', 'k', 'k', 'k'], { ttl: 1 }],
    [['tab'], { path: 1 }],
    [['tab', 'right'], { path: 0 }],
    [['left'], { path: 1 }],
    [['n', 'a', 'p'], { showNames: false, showAsn: false, isPaused: true }],
    [['p', 'space'], { isPaused: false }],
    [['h'], { pane: 'help' }],
    [['?', '?'], { pane: 'hop' }],
    [['g'], { pane: 'graph' }],
    [['g', 'v'], { pane: 'verdict' }],
    [['g', 'escape'], { pane: 'hop' }],
    [['x', 'constructor'], { pane: 'verdict', ttl: 1 }],
  ])('%j', (keys, expected) => {
    expect(after(...keys)).toMatchObject(expected);
  });
});

/** `inferpath trace` to loopback on a terminal of its own. */
function onTerminal(...args: string[]) {
  const io = fakeIo({ realClock: true, stdoutIsTty: true, stdinIsTty: true, platform: process.platform });
  const ended = runCli(['trace', '127.0.0.1', '--interval', '0.05', ...args], io);
  const until = async (text: RegExp) => {
    for (let i = 0; i < 400 && !text.test(io.stderr()); i++) await new Promise((done) => setTimeout(done, 25));
    expect(io.stderr()).toMatch(text);
  };
  return { io, ended, until };
}

describe.skipIf(process.platform !== 'linux')('inferpath trace on a terminal', () => {
  test('runs until q, gives the terminal back and prints the report to stdout', async () => {
    const { io, ended, until } = onTerminal();
    await until(/round [3-9]/);
    expect(io.isTakenOver()).toBe(true);
    expect(io.stdout()).toBe('');
    io.press('q');
    expect(await ended).toBe(0);
    expect(io.isTakenOver()).toBe(false);
    expect(io.stderr().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(io.stdout()).toMatch(/^127\.0\.0\.1 · UDP .*\n[^]*Verdict\n {2}the target is 1 hop away\n/);
  });

  test('Ctrl-C prints what there is and ends with 130', async () => {
    const { io, ended, until } = onTerminal();
    await until(/round [3-9]/);
    io.interrupt();
    expect(await ended).toBe(130);
    expect(io.isTakenOver()).toBe(false);
    expect(io.stdout()).toMatch(/interrupted/);
  });

  test('with a number of rounds it ends by itself', async () => {
    const { io, ended } = onTerminal('--count', '4');
    expect(await ended).toBe(0);
    expect(io.stdout()).toMatch(/4 rounds/);
  });

  test('r begins the counts anew', async () => {
    const { io, ended, until } = onTerminal('--json');
    await until(/round [1-9][0-9]/);
    io.press('r');
    await new Promise((done) => setTimeout(done, 300));
    io.press('q');
    await ended;
    const report = JSON.parse(io.stdout()) as { rounds: number; paths: { rounds: number }[] };
    expect(report.paths[0]!.rounds).toBeLessThan(report.rounds);
  });

  test('--no-watch shows one line instead', async () => {
    const { io, ended } = onTerminal('--count', '3', '--no-watch');
    expect(await ended).toBe(0);
    expect(io.stderr()).not.toContain('1049h');
    expect(io.stderr()).toMatch(/round \d of 3|looking for paths/);
  });
});
