import { describe, expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod';
import { fakeIo } from '../../test/fakes/io.ts';
import { parseArgs } from './args.ts';
import { actionsWith, defineCommand, exitCode, runnable } from './command.ts';
import { loadCommands } from './commands/index.ts';
import { runCli } from './run.ts';

const json = { schema: z.boolean().default(false), about: 'As JSON.' };

const box = defineCommand({
  name: 'box',
  summary: 'A box.',
  about: 'What is in a box.',
  actions: {
    list: {
      about: 'Lists what is in it.',
      flags: { json, kind: { schema: z.enum(['a', 'b']).optional(), about: 'Only this kind.', value: 'KIND' } },
      examples: [{ line: 'inferpath box list', about: 'lists.' }],
      run({ flags, positionals, io }) {
        expectTypeOf(flags).toEqualTypeOf<{ readonly json: boolean; readonly kind: 'a' | 'b' | undefined }>();
        io.terminal.out(JSON.stringify(['list', flags, positionals]));
        return Promise.resolve(exitCode.ready);
      },
    },
    put: {
      about: 'Puts something in.',
      positionals: { name: 'thing', about: 'what to put', min: 1, max: 1 },
      flags: { json, count: { schema: z.coerce.number().default(1), about: 'How many.', value: 'N', group: 'More' } },
      examples: [{ line: 'inferpath box put hat --count 2', about: 'puts two.' }],
      run({ flags, positionals, io }) {
        expectTypeOf(flags).toEqualTypeOf<{ readonly json: boolean; readonly count: number }>();
        io.terminal.out(JSON.stringify(['put', flags, positionals]));
        return Promise.resolve(exitCode.notReady);
      },
    },
  },
});

async function run(line: string) {
  const io = fakeIo({ columns: 60 });
  const code = await runCli(['box', ...line.split(' ').filter(Boolean)], io, [box]);
  return { code, out: io.stdout(), err: io.stderr() };
}

describe('a command with actions', () => {
  test.each([
    ['list', 0, ['list', { json: false }, []]],
    ['list --kind b --json', 0, ['list', { json: true, kind: 'b' }, []]],
    ['--kind a list', 0, ['list', { json: false, kind: 'a' }, []]],
    ['put hat --count 2', 1, ['put', { json: false, count: 2 }, ['hat']]],
    ['put list', 1, ['put', { json: false, count: 1 }, ['list']]],
    ['--count 3 -- put --json', 1, ['put', { json: false, count: 3 }, ['--json']]],
  ])('runs what %j names, with the flags of that action and their defaults', async (line, code, said) => {
    expect(await run(line)).toEqual({ code, out: JSON.stringify(said), err: '' });
  });

  test.each([
    ['put', ['<thing>: is required; what to put'], 'box put'],
    ['list hat', ['"hat": unexpected argument; allowed: none'], 'box list'],
    ['list --count 2', ['--count: goes with put; found with list'], 'box list'],
    [
      'list --count',
      ['--count: found no value; allowed: number', '--count: goes with put; found with list'],
      'box list',
    ],
    [
      'put hat hat --kind c --cont 1',
      [
        '"--cont": unknown flag; did you mean --count?',
        '--kind: goes with list; found with put',
        '"hat": unexpected argument; allowed: at most 1',
      ],
      'box put',
    ],
  ])('names what is wrong with %j, and where to read on', async (line, mistakes, help) => {
    const lines = [
      ...mistakes.map((mistake) => `inferpath box: ${mistake}`),
      `hint: inferpath ${help} --help lists the flags`,
    ];
    expect(await run(line)).toEqual({ code: 2, out: '', err: `${lines.join('\n')}\n` });
  });

  test.each([
    ['', '<action>: is required; allowed: list, put\n'],
    ['lst', '<action>: found "lst"; allowed: list, put\nhint: inferpath box --help tells what each does\n'],
    ['toString', '<action>: found "toString"; allowed: list, put\nhint: inferpath box --help tells what each does\n'],
  ])('says after %j which actions there are', async (line, words) => {
    expect(await run(line)).toEqual({ code: 2, out: '', err: `inferpath box: ${words}` });
  });

  test('--help tells of all actions, and whose each flag is', async () => {
    expect((await run('--help')).out).toBe(`Usage: inferpath box <action> … [flags]

What is in a box.

Actions:
  list         Lists what is in it.
  put <thing>  Puts something in.

Flags:
  --json  As JSON.

Flags (list):
  --kind KIND  Only this kind.

More (put):
  --count N  How many.

Examples:
  inferpath box list
      lists.
  inferpath box put hat --count 2
      puts two.
`);
  });

  test.each(['put --help', '--nonsense put -h', 'put list --help'])('%j tells of that action alone', async (line) => {
    expect((await run(line)).out).toBe(`Usage: inferpath box put <thing> [flags]

Puts something in.

Arguments:
  <thing>  what to put

Flags:
  --json  As JSON.

More:
  --count N  How many.

Examples:
  inferpath box put hat --count 2
      puts two.
`);
  });
});

const commands = await loadCommands();

test('a flag of several actions of one command is the same flag, so that its help is true of all', () => {
  const differing = commands.flatMap((c) =>
    Object.keys(c.flags).filter(
      (key) => c.actions && new Set(actionsWith(key, c).map((word) => c.actions?.[word]?.flags[key])).size > 1,
    ),
  );
  expect(differing).toEqual([]);
});

const ofActions = runnable(commands).filter((c) => !commands.includes(c));
test.each(ofActions.flatMap((c) => c.examples.map(({ line }) => [line, c.name])))(
  'the example %j is a command line of %s',
  (line, name) => {
    const [word = '', ...argv] = line
      .replace(/^.*?inferpath /, '')
      .replace(/ [|>&].*|\).*/, '')
      .replaceAll(/["']/g, '')
      .split(' ');
    const command = commands.find((c) => c.name === word)!;
    expect(parseArgs(command, argv).command.name).toBe(name);
  },
);
