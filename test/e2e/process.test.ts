import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { wantsColors } from '../../src/cli/io.ts';
import { programOf } from '../fixtures/programs.ts';

const script = programOf(new URL('../fakes/waiting.ts', import.meta.url));

/** The program in its own process, without a wrapper between us and its signals. */
function start(how: string): {
  child: ChildProcess;
  stderr: () => string;
  stdout: () => string;
  said: (text: string) => Promise<void>;
} {
  const child = spawn(process.execPath, [...script, 'wait', how], { stdio: 'pipe' });
  let [out, err] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const said = async (text: string) => {
    while (!out.includes(text)) await once(child.stdout, 'data');
  };
  return { child, stderr: () => err, stdout: () => out, said };
}

describe('the real process', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s lets the command end in its own time, with 130', async (signal) => {
    const { child, stderr, said } = start('clean');
    await said('started');
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(stderr()).toBe('cleaned up\n');
  });

  test('a second SIGINT ends a command that is stuck', async () => {
    const { child, stderr, said } = start('stuck');
    await said('started');
    child.kill('SIGINT');
    await said('asked to stop');
    // Within 300 ms it would be the echo of the first.
    await new Promise((done) => setTimeout(done, 350));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(stderr()).toBe('');
  });

  test('a reader that goes away stops the run cleanly, without a word about pipes', async () => {
    const { child, stderr, said } = start('pour');
    await said('started');
    child.stdout?.destroy();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr()).toBe('cleaned up\n');
  });

  test('questions take lines of a pipe one by one, and null after its end', async () => {
    const { child, stderr, stdout } = start('ask');
    child.stdin?.end('yes\nno');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stdout()).toBe('["yes","no",null]\n');
    expect(stderr()).toBe('one? two? three? ');
  });
});

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
])('wantsColors(%j, terminal %j) is %j', (env, isTty, colors) => {
  expect(wantsColors(env, isTty)).toBe(colors);
});
