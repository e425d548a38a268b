import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referenceFiles } from '../../scripts/reference/files.ts';
import { runnable } from '../../src/cli/command.ts';
import { loadCommands } from '../../src/cli/commands/index.ts';
import { commandHelp } from '../../src/cli/help.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

const files = await referenceFiles();
const all = await loadCommands();
const commands = [...all, ...runnable(all).filter((c) => !all.includes(c))];

test.each([...files])('%s is what the schemas say now (else: npm run docs)', (path, text) => {
  expect(read(path)).toBe(text);
});

test('docs/reference holds generated pages and nothing else', () => {
  const pages = readdirSync(new URL('docs/reference/', root)).map((name) => `docs/reference/${name}`);
  expect(pages.toSorted()).toEqual([...files.keys()].toSorted());
});

test.each(commands.map((c) => [c.name, c] as const))('%s: every flag says what it is in a sentence', (_, command) => {
  expect(command.summary).toMatch(/^[A-Z]/);
  expect(command.examples.length).toBeGreaterThan(0);
  const bare = Object.entries(command.flags).filter(([, flag]) => !/^[A-Z].*\.$/s.test(flag.about));
  expect(bare.map(([key]) => key)).toEqual([]);
});

test.each(commands.map((c) => [c.name, c] as const))(
  '%s: help keeps within 80 columns, but for examples',
  (_, command) => {
    const [screen = ''] = commandHelp(command, 80).split('\nExamples:\n');
    expect(screen.split('\n').filter((line) => line.length > 80)).toEqual([]);
  },
);
