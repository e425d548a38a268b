import { describe, expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod';
import { fakeIo } from '../../test/fakes/io.ts';
import type { Io } from '../wire/io.ts';
import { parseArgs } from './args.ts';
import { actionGroup, actionsOf, defineCommand, exitCode, runnable } from './command.ts';
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
    // Beside an unknown flag a word too many may be its value, and that a secret: it is not repeated.
    [
      'put hat hat --kind c --cont 1',
      ['"--cont": unknown flag; did you mean --count?', '--kind: goes with list; found with put'],
      'box put',
    ],
    [
      'put hat hat --kind c',
      ['--kind: goes with list; found with put', '"hat": unexpected argument; allowed: at most 1'],
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

const say =
  (word: string) =>
  ({ flags, positionals, io }: { flags: object; positionals: string[]; io: Io }) => {
    io.terminal.out(JSON.stringify([word, flags, positionals]));
    return Promise.resolve(exitCode.ready);
  };

const house = defineCommand({
  name: 'house',
  summary: 'A house.',
  about: 'What is in a house.',
  actions: {
    look: {
      about: 'Looks.',
      flags: { json },
      examples: [{ line: 'inferpath house look', about: 'looks.' }],
      run: say('look'),
    },
    door: actionGroup({
      about: 'Its door.',
      actions: {
        open: {
          about: 'Opens it.',
          positionals: { name: 'key', about: 'what opens it', min: 1, max: 1 },
          flags: { json, far: { schema: z.coerce.number().default(90), about: 'How far.', value: 'DEGREES' } },
          examples: [{ line: 'inferpath house door open brass', about: 'opens.' }],
          run({ flags, positionals, io }) {
            expectTypeOf(flags).toEqualTypeOf<{ readonly json: boolean; readonly far: number }>();
            return say('open')({ flags, positionals, io });
          },
        },
        look: {
          about: 'Looks at it.',
          flags: { json },
          examples: [{ line: 'inferpath house door look', about: 'looks.' }],
          run: say('door look'),
        },
      },
    }),
  },
});

describe('a group of actions in a command', () => {
  const inHouse = async (line: string) => {
    const io = fakeIo({ columns: 60 });
    const code = await runCli(['house', ...line.split(' ').filter(Boolean)], io, [house]);
    return { code, out: io.stdout(), err: io.stderr() };
  };

  test.each([
    ['look --json', ['look', { json: true }, []]],
    ['door look', ['door look', { json: false }, []]],
    ['door open brass --far 20', ['open', { json: false, far: 20 }, ['brass']]],
    ['--far 20 door open look', ['open', { json: false, far: 20 }, ['look']]],
  ])('runs what %j names', async (line, said) => {
    expect(await inHouse(line)).toEqual({ code: 0, out: JSON.stringify(said), err: '' });
  });

  test.each([
    ['', '<action>: is required; allowed: look, door\n'],
    ['door', 'door <action>: is required; allowed: open, look\n'],
    [
      'door opn',
      'door <action>: found "opn"; allowed: open, look\nhint: inferpath house door --help tells what each does\n',
    ],
    [
      'door constructor',
      'door <action>: found "constructor"; allowed: open, look\nhint: inferpath house door --help tells what each does\n',
    ],
    [
      'door look --far 3',
      '--far: goes with door open; found with door look\nhint: inferpath house door look --help lists the flags\n',
    ],
    ['door open', '<key>: is required; what opens it\nhint: inferpath house door open --help lists the flags\n'],
  ])('says what is wrong with %j', async (line, words) => {
    expect(await inHouse(line)).toEqual({ code: 2, out: '', err: `inferpath house: ${words}` });
  });

  test('--help of the command names the group, of the group its actions, of an action its flags', async () => {
    expect((await inHouse('--help')).out).toContain('  door <action> …  Its door.\n');
    expect((await inHouse('--help')).out).toContain('Flags (door open):\n  --far DEGREES');
    expect((await inHouse('door --help')).out).toBe(`Usage: inferpath house door <action> … [flags]

Its door.

Actions:
  open <key>  Opens it.
  look        Looks at it.

Flags:
  --json  As JSON.

Flags (open):
  --far DEGREES  How far.

Examples:
  inferpath house door open brass
      opens.
  inferpath house door look
      looks.
`);
    expect((await inHouse('door open --help')).out).toContain('Usage: inferpath house door open <key> [flags]\n');
    expect((await inHouse('look --help')).out).toContain('Usage: inferpath house look [flags]\n');
  });
});

const commands = await loadCommands();

test('a flag of several actions of one command is the same flag, so that its help is true of all', () => {
  const differing = commands.flatMap((c) =>
    Object.keys(c.flags).filter(
      (key) => new Set(actionsOf(c).flatMap(({ flags }) => (Object.hasOwn(flags, key) ? [flags[key]] : []))).size > 1,
    ),
  );
  expect(differing).toEqual([]);
});

const ofActions = runnable(commands).filter((c) => !commands.includes(c));
/** What a line of an example runs; what is piped on or written elsewhere is left out. */
function runBy(line: string): string {
  const [word = '', ...argv] = line
    .replace(/^.*?inferpath /, '')
    .replace(/ [|>&].*|\).*/, '')
    .replaceAll(/["']/g, '')
    .split(' ');
  return parseArgs(
    commands.find((c) => c.name === word)!,
    argv,
  ).command.name;
}

test.each(ofActions.map((c) => [c.name, c.examples.map(({ line }) => line)] as const))(
  'the examples of %s are command lines, and some are of it; others make what it reads',
  (name, lines) => {
    const runs = lines.map(runBy);
    expect(runs).toContain(name);
    expect(runs.filter((one) => one !== name).length).toBeLessThan(lines.length / 2);
  },
);
