import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Command, defineCommand, exitCode } from '../../src/cli/command.ts';
import { helpCommand } from '../../src/cli/commands/help.ts';
import { init } from '../../src/cli/commands/init.ts';
import { schema } from '../../src/cli/commands/schema.ts';
import { version } from '../../src/cli/commands/version.ts';
import { runCli } from '../../src/cli/run.ts';
import { assessStandIn as assess } from '../fakes/assess.ts';
import { schemaNames } from '../../src/cli/schemas.ts';
import { fakeIo } from '../fakes/io.ts';
import { program, programOf } from '../fixtures/programs.ts';
import { badFiles, badLines } from './bad-input.cases.ts';

const positiveFive = z.string().transform((text) => {
  if (text !== '5') throw new RangeError('allowed: 5');
  return 5;
});

/** Flags of every kind, without the work behind them. */
const probe = defineCommand({
  name: 'probe',
  summary: 'A command for tests.',
  about: 'A command for tests.',
  positionals: { name: 'url', about: 'the address to probe', min: 1, max: 2 },
  flags: {
    requests: {
      schema: z.coerce.number().int().min(1).max(1000).default(10),
      about: 'N.',
      value: 'N',
      short: 'n',
    },
    rate: { schema: z.coerce.number().positive().optional(), about: 'R.', value: 'R' },
    family: { schema: z.enum(['4', '6']).optional(), about: 'F.', value: 'F' },
    header: {
      schema: z.array(z.string().regex(/^[^:]+:/, 'must be NAME:VALUE')).default([]),
      about: 'H.',
      value: 'H',
      repeated: true,
    },
    model: { schema: z.string().min(1), about: 'M.', value: 'M' },
    delay: { schema: positiveFive.optional(), about: 'D.', value: 'D' },
    reuse: { schema: z.boolean().default(true), about: 'Reuse.' },
  },
  examples: [],
  run: ({ flags, positionals, io }) => {
    io.terminal.out(JSON.stringify({ flags, positionals }));
    return Promise.resolve(exitCode.ready);
  },
});

const list: Command[] = [init, schema, helpCommand(() => Promise.resolve(list)), version, probe];

describe('a wrong network file is answered with every mistake and its place', () => {
  test.each(badFiles)('$name', async ({ yaml, says }) => {
    const io = fakeIo({ files: { 'network.yaml': yaml } });
    expect(await runCli(['assess', 'network.yaml'], io, [assess])).toBe(exitCode.usage);
    const count = says.length === 1 ? 'a mistake' : `${says.length} mistakes`;
    expect(io.stderr().split('\n')).toEqual([
      `inferpath assess: network.yaml has ${count}`,
      ...says.map((line) => `network.yaml:${line}`),
      'hint: inferpath schema network prints what a network file may hold',
      '',
    ]);
    expect(io.stdout()).toBe('');
  });

  test('no answer repeats a secret', () => {
    const texts = badFiles.flatMap((f) => f.says).join('\n');
    expect(texts).not.toMatch(/hunter2|AIza|verysecret/);
  });
});

describe('a wrong command line is answered with every mistake', () => {
  test.each(badLines)('inferpath $line', async ({ line, says }) => {
    const io = fakeIo();
    expect(await runCli(line.split(' '), io, list)).toBe(exitCode.usage);
    expect(io.stderr().trimEnd().split('\n')).toEqual(says);
    expect(io.stdout()).toBe('');
    expect(io.written.size).toBe(0);
  });

  test('inferpath schema netwrok', async () => {
    const io = fakeIo();
    expect(await runCli(['schema', 'netwrok'], io, list)).toBe(exitCode.usage);
    expect(io.stderr()).toBe(
      `inferpath schema: <name>: found "netwrok"; allowed: ${schemaNames.join(', ')}; did you mean network?\n`,
    );
  });

  test('while a right one with flags of every kind comes through', async () => {
    const io = fakeIo();
    const line = 'probe -n 5 http://a --model=m --rate 1e3 --no-reuse --header a:b --header=c:d=e -- --b';
    expect(await runCli(line.split(' '), io, list)).toBe(0);
    expect(JSON.parse(io.stdout())).toEqual({
      flags: { requests: 5, rate: 1000, header: ['a:b', 'c:d=e'], model: 'm', reuse: false },
      positionals: ['http://a', '--b'],
    });
  });
});

describe('the real process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-bad-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = programOf(new URL('../fakes/read-network.ts', import.meta.url));

  const run = (script: readonly string[], ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...script, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    return { status, stdout, stderr };
  };

  test('a flag that does not exist', () => {
    expect(run(program, 'init', '--frce')).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'inferpath init: "--frce": unknown flag; did you mean --force?\nhint: inferpath init --help lists the flags\n',
    });
  });

  test('a folder that cannot be written to is no usage mistake, and is told with operation and path', () => {
    expect(run(program, 'init', '--yes', '--output', 'no/such/folder.yaml')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(
        /^inferpath init: open ".*no\/such\/folder\.yaml" failed: ENOENT \(.*\)\nhint: INFERPATH_DEBUG=1 shows where this came from\n$/,
      ),
    });
  });

  test.each([
    ['missing.yaml', undefined, 'no such file'],
    ['.', undefined, 'found a directory; allowed: a YAML file'],
    [
      'latin1.yaml',
      Buffer.from('version: 1 # caf\xe9\n', 'latin1'),
      'found bytes that are no UTF-8; allowed: a UTF-8 text file',
    ],
    ['big.yaml', Buffer.alloc(1024 * 1024 + 1, '#'), 'found more than 1048576 bytes; allowed: at most 1 MiB'],
    ['/dev/zero', undefined, 'found more than 1048576 bytes; allowed: at most 1 MiB'],
  ])('%s as network file', (name, bytes, words) => {
    if (bytes) writeFileSync(join(folder, name), bytes);
    expect(run(read, name)).toEqual({
      status: 2,
      stdout: '',
      stderr: `inferpath assess: ${name}: ${words}\nhint: inferpath init writes a network file to start from\n`,
    });
  });
});
