import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { actionGroup, type Command, defineCommand, exitCode, runnable } from './command.ts';
import { loadCommands } from './commands/index.ts';
import { completionScript } from './completion.ts';

const commands = await loadCommands();

/** What bash offers for a line that ends at the cursor. */
function offered(line: string, known = commands): string[] {
  const words = line.split(' ');
  const ask = [
    completionScript('bash', known),
    `COMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_inferpath',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n').filter(Boolean);
}

const place = { schema: z.enum(['here', 'there']).default('here'), about: 'Where.', value: 'PLACE' };
const run = () => Promise.resolve(exitCode.ready);
const nested = defineCommand({
  name: 'house',
  summary: 'A house.',
  about: 'A house.',
  actions: {
    door: actionGroup({
      about: 'Its door.',
      actions: { open: { about: 'Opens it.', flags: { place }, examples: [], run } },
    }),
  },
});

/** Words that may be typed after a command, in its groups too. */
function words({ actions = {} }: Command): string[] {
  return Object.entries(actions).flatMap(([word, action]) => [word, ...words(action)]);
}

describe('completionScript()', () => {
  test.each([
    ['inferpath ini', ['init']],
    ['inferpath --v', ['--version']],
    ['inferpath help sch', ['schema']],
    ['inferpath init --cl', ['--class']],
    ['inferpath init --class v', ['voice']],
    ['inferpath init --no-f', ['--no-force']],
    ['inferpath init net', []],
    ['inferpath store ex', ['export']],
    ['inferpath alert --', ['--help']],
    ['inferpath alert list --st', ['--state']],
    ['inferpath alert test --st', []],
    ['inferpath store export --format c', ['csv']],
  ])('bash offers for %j: %j', (line, words) => {
    expect(offered(line)).toEqual(words);
  });

  test.each([
    ['inferpath house ', ['door', '--help']],
    ['inferpath house door ', ['open', '--help']],
    ['inferpath house door open --pl', ['--place']],
    ['inferpath house door open --place t', ['there']],
    ['inferpath house door --pl', []],
  ])('bash offers for %j in a group: %j', (line, words) => {
    expect(offered(line, [...commands, nested])).toEqual(words);
  });

  test('zsh takes the script of bash', () => {
    expect(completionScript('zsh', commands)).toContain(completionScript('bash', commands));
  });

  test('fish gets one line per command, action and flag of each, with quotes that close', () => {
    const known = [...commands, nested];
    const lines = completionScript('fish', known).trim().split('\n');
    const actions = known.flatMap(words);
    const flags = runnable(known).flatMap((c) => Object.keys(c.flags));
    expect(lines).toHaveLength(known.length + 1 + actions.length + flags.length);
    expect(lines).toContainEqual(expect.stringMatching(/from house; and .*from door; and .*from open' -l place -x/));
    expect(lines.filter((line) => (line.replaceAll("\\'", '').split("'").length - 1) % 2 !== 0)).toEqual([]);
  });
});
