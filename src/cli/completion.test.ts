import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { runnable } from './command.ts';
import { loadCommands } from './commands/index.ts';
import { completionScript } from './completion.ts';

const commands = await loadCommands();

/** What bash offers for a line that ends at the cursor. */
function offered(line: string): string[] {
  const words = line.split(' ');
  const ask = [
    completionScript('bash', commands),
    `COMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_inferpath',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n').filter(Boolean);
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

  test('zsh takes the script of bash', () => {
    expect(completionScript('zsh', commands)).toContain(completionScript('bash', commands));
  });

  test('fish gets one line per command, action and flag of each, with quotes that close', () => {
    const lines = completionScript('fish', commands).trim().split('\n');
    const actions = commands.flatMap((c) => Object.keys(c.actions ?? {}));
    const flags = runnable(commands).flatMap((c) => Object.keys(c.flags));
    expect(lines).toHaveLength(commands.length + 1 + actions.length + flags.length);
    expect(lines.filter((line) => (line.replaceAll("\\'", '').split("'").length - 1) % 2 !== 0)).toEqual([]);
  });
});
