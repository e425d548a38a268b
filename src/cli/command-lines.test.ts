import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { flagName } from './args.ts';
import type { Command } from './command.ts';
import { loadCommands } from './commands/index.ts';
import { runCli } from './run.ts';

/** Every command and action, whose work is only to say that it would have run. */
let commands: Command[] = [];
let vocabulary: string[] = [];
beforeAll(async () => {
  const all = await loadCommands();
  commands = all.map(idle);
  vocabulary = [...new Set(all.flatMap(wordsOf))];
}, 120_000);

function idle(command: Command): Command {
  const { actions, whole } = command;
  return {
    ...command,
    ...(actions && { actions: Object.fromEntries(Object.entries(actions).map(([name, one]) => [name, idle(one)])) }),
    ...(whole && { whole: idle(whole) }),
    run: ({ io }) => {
      io.terminal.out('ran');
      return Promise.resolve(0);
    },
  };
}

function wordsOf(command: Command): string[] {
  const flags = Object.keys(command.flags).flatMap((key) => [flagName(key), `--no-${flagName(key).slice(2)}`]);
  const inner = Object.entries(command.actions ?? {}).flatMap(([name, action]) => [name, ...wordsOf(action)]);
  return [command.name, ...flags, ...inner];
}

const hostile = [
  '--',
  '-',
  '--=',
  '-=',
  '=',
  '---',
  '-oProxyCommand=x',
  '--help=1',
  '-h',
  '',
  ' ',
  '\n',
  '\u0000',
  '$(id)',
  '`id`',
  ';reboot',
  '|cat',
  '&',
  '../../etc/passwd',
  '/dev/zero',
  '-1',
  '-.5',
  '1e999',
  'NaN',
  '0x10',
  '99999999999999999999',
  '__proto__',
  'constructor',
  '--__proto__',
  '--constructor=1',
  'toString',
  '\u202egnp.exe',
  '\u001b[2J',
  '漢字',
  '\ud800',
  '{}',
  '[]',
  '%s%n',
  "'",
  '"',
  '\\',
  'http://[::1',
  'http://a b/',
  '::ffff:1.2.3.4/129',
];

test('any command line runs, or is a usage error with its words; none crashes, hangs or moves the cursor', async () => {
  const word = () =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...vocabulary) },
      { weight: 3, arbitrary: fc.constantFrom(...hostile) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
      {
        weight: 2,
        arbitrary: fc.tuple(fc.constantFrom(...vocabulary), fc.constantFrom(...hostile)).map((pair) => pair.join('=')),
      },
    );
  const line = fc.tuple(fc.constantFrom(...commands.map(({ name }) => name)), fc.array(word(), { maxLength: 8 }));
  await fc.assert(
    fc.asyncProperty(line, async ([name, words]) => {
      const io = fakeIo();
      const code = await runCli([name, ...words], io, commands);
      expect([0, 2]).toContain(code);
      expect(code === 0 ? io.stderr() : io.stdout()).toBe('');
      expect(code === 0 ? 'inferpath runs\n' : io.stderr()).toMatch(/^inferpath [\s\S]*\S\n$/);
      // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
      expect(io.stderr()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
    { numRuns: 1000 },
  );
}, 60_000);
