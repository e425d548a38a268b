import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { type Command, defineCommand, exitCode, UsageError } from './command.ts';
import { runCli } from './run.ts';
import { version } from './version.ts';

const command = (run: Command['run']): Command =>
  defineCommand({
    name: 'work',
    summary: 'Do the work.',
    about: 'Does the work. '.repeat(8).trim(),
    positionals: { name: 'url', about: 'the address', min: 0, max: 1 },
    flags: {},
    examples: [{ line: 'inferpath work', about: 'works.' }],
    run,
  });
const done = command(() => Promise.resolve(exitCode.notReady));
const failing = (error: Error) =>
  command(() => {
    throw error;
  });

describe('runCli()', () => {
  test('gives back what the command says', async () => {
    expect(await runCli(['work'], fakeIo(), [done])).toBe(1);
  });

  test.each([[[]], [['--help']], [['-h']]])('lists the commands for %j', async (argv) => {
    const io = fakeIo();
    expect(await runCli(argv, io, [done])).toBe(0);
    expect(io.stdout()).toContain('\nCommands:\n  work  Do the work\n');
    expect(io.stderr()).toBe('');
  });

  test.each([[['--version']], [['-V']]])('prints the version for %j', async (argv) => {
    const io = fakeIo();
    expect(await runCli(argv, io, [done])).toBe(0);
    expect(io.stdout()).toBe(`inferpath ${version}\n`);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('prints the help of a command, whatever else is wrong on the line', async () => {
    const io = fakeIo({ columns: 60 });
    expect(await runCli(['work', '--nonsense', '--help'], io, [done])).toBe(0);
    expect(io.stdout()).toBe(
      [
        'Usage: inferpath work [url]',
        '',
        'Does the work. Does the work. Does the work. Does the work.',
        'Does the work. Does the work. Does the work. Does the work.',
        '',
        'Arguments:',
        '  <url>  the address',
        '',
        'Examples:',
        '  inferpath work',
        '      works.',
        '',
      ].join('\n'),
    );
  });

  test('prints a usage mistake with its hint and ends with 2', async () => {
    const io = fakeIo();
    expect(await runCli(['work'], io, [failing(new UsageError('one\ntwo', 'try three'))])).toBe(2);
    expect(io.stderr()).toBe('inferpath work: one\ninferpath work: two\nhint: try three\n');
  });

  test('prints any other error as one line with operation and address, and ends with 3', async () => {
    const io = fakeIo();
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:80'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address: '::1',
      port: 80,
    });
    expect(await runCli(['work'], io, [failing(refused)])).toBe(3);
    expect(io.stderr()).toBe(
      'inferpath work: connect "[::1]:80" failed: ECONNREFUSED (connect ECONNREFUSED ::1:80)\nhint: INFERPATH_DEBUG=1 shows where this came from\n',
    );
  });

  test('shows the stack only with INFERPATH_DEBUG=1', async () => {
    const io = fakeIo({ env: { INFERPATH_DEBUG: '1' } });
    expect(await runCli(['work'], io, [failing(new Error('odd\u001b[31m'))])).toBe(3);
    expect(io.stderr()).toMatch(/^inferpath work: odd \[31m\n.*at .*run\.test\.ts/s);
  });

  test('ends with 130 when the command stopped because of Ctrl-C', async () => {
    const io = fakeIo();
    const waits = command(({ io }) => io.clock.sleep(5, io.signals.interrupted).then(() => exitCode.ready));
    io.interrupt();
    expect(await runCli(['work'], io, [waits])).toBe(130);
    expect(io.stderr()).toBe('inferpath work: interrupted\n');
  });

  test('does not take an own failure after Ctrl-C for the interruption', async () => {
    const io = fakeIo();
    io.interrupt();
    expect(await runCli(['work'], io, [failing(new Error('disk full'))])).toBe(3);
  });
});
