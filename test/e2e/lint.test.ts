import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MiniCheckout, repository } from './mini-checkout.ts';

/** The house from left to right: a room may import itself and what stands in a column further left. */
const columns = [
  ['model', 'stats', 'wire'],
  ['lab', 'measure', 'gather'],
  ['store'],
  ['judge', 'plan', 'secure'],
  ['report'],
  ['act'],
  ['serve'],
  ['cli'],
];
const rooms = columns.flat();
const columnOf = (room: string) => columns.findIndex((column) => column.includes(room));
const mayImport = (from: string, to: string) => from === to || columnOf(to) < columnOf(from);

interface Diagnostic {
  code: string;
  message: string;
  help?: string;
  filename: string;
}

/** What oxlint, with the repository's rules, says about a tree of these files. */
function lint(files: Record<string, string>, args: string[] = []): Diagnostic[] {
  using checkout = new MiniCheckout(['.oxlintrc.json', 'tsconfig.json']);
  checkout.write(files);
  const { stdout } = checkout.tool('oxlint', ['-f', 'json', ...args, 'src']);
  return (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
}

describe('oxlint keeps the rooms apart', () => {
  test('every import from room to room is allowed or refused as the house says', () => {
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const from of rooms) {
      files[`src/${from}/target.ts`] = 'export const value = 1;\n';
      for (const to of rooms) {
        // From a subfolder, as commands/ and rules/ are, so that both depths are tried.
        const file = `src/${from}/deep/imports-${to}.ts`;
        files[file] = `import { value } from '../../${to}/target.ts';\nexport const copy = value;\n`;
        if (!mayImport(from, to)) forbidden.push(file);
      }
    }
    const refused = lint(files).filter((d) => d.code === 'eslint(no-restricted-imports)');
    expect(refused.map((d) => d.filename).toSorted()).toEqual(forbidden.toSorted());
    expect(refused.every((d) => d.help?.startsWith('Imports point one way (ARCHITECTURE.md): src/'))).toBe(true);
  });

  test.each([
    ['model', 'wire', 'src/model may import nothing of ours.'],
    ['wire', 'model', 'src/wire may import nothing of ours.'],
    ['stats', 'model', 'src/stats may import nothing of ours.'],
    ['measure', 'lab', 'src/measure may import only model, stats, wire.'],
    ['measure', 'judge', 'src/measure may import only model, stats, wire.'],
    ['store', 'cli', 'src/store may import only model, stats, wire, lab, measure, gather.'],
  ])('%s importing %s is answered with our own words', (from, to, words) => {
    const found = lint({
      [`src/${from}/planted.ts`]: `import type { Value } from '../${to}/target.ts';\nexport const value: Value = 1;\n`,
      [`src/${to}/target.ts`]: 'export type Value = number;\n',
    });
    expect(found.map((d) => d.help)).toEqual([`Imports point one way (ARCHITECTURE.md): ${words}`]);
  });

  test('a cycle inside a room is refused', () => {
    const found = lint({
      'src/judge/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b();\n",
      'src/judge/b.ts': "import { a } from './a.ts';\nexport const b = (): number => a();\n",
    });
    expect(found.map((d) => d.code)).toEqual(['import(no-cycle)', 'import(no-cycle)']);
  });
});

describe('oxlint keeps globals and promises in order', () => {
  test('the clock, randomness and the process come in through Io, except in the CLI, in workers and in tests', () => {
    const body = 'export const values = [Date.now(), Math.random(), process.pid];\n';
    const found = lint({
      'src/measure/planted.ts': body,
      'src/measure/planted.worker.ts': body,
      'src/measure/planted.test.ts': body,
      'src/cli/planted.ts': body,
    });
    expect(found.map((d) => `${d.filename} ${d.code}`).toSorted()).toEqual([
      'src/measure/planted.ts eslint(no-restricted-globals)',
      'src/measure/planted.ts eslint(no-restricted-properties)',
      'src/measure/planted.ts eslint(no-restricted-properties)',
    ]);
  });

  test('a promise nobody waits for, any, console and an inexhaustive switch are errors', () => {
    const found = lint(
      {
        'src/judge/planted.ts': [
          'async function work(): Promise<number> {\n  return 1;\n}',
          'export function forgets(): void {\n  work();\n}',
          'export function loose(value: any): void {\n  console.log(value);\n}',
          "export function name(kind: 'a' | 'b'): string {",
          "  switch (kind) {\n    case 'a':\n      return 'A';\n  }\n  return '';\n}\n",
        ].join('\n'),
      },
      ['--type-aware'],
    );
    expect(found.map((d) => d.code).toSorted()).toEqual([
      'eslint(no-console)',
      'typescript(no-explicit-any)',
      'typescript(no-floating-promises)',
      'typescript(switch-exhaustiveness-check)',
    ]);
  });
});

describe('the repository itself', () => {
  test('crosses no wall by a dynamic import or a worker URL either, which the linter does not look at', () => {
    const crossing = /(?:import\(|new URL\()\s*['"](?:\.\.\/)+(\w+)\//g;
    const wrong = sourceFiles().flatMap(({ room, file, text }) =>
      [...text.matchAll(crossing)]
        .map((match) => match[1] ?? '')
        .filter((to) => rooms.includes(to) && !mayImport(room, to))
        .map((to) => `${file} → ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  test('has no room that the linter does not know', () => {
    expect(sourceFiles().filter(({ room }) => !rooms.includes(room))).toEqual([]);
  });

  test('keeps model and stats free of Node: they type-check without its types, and a planted Buffer does not', () => {
    using checkout = new MiniCheckout(['tsconfig.json', 'tsconfig.pure.json', 'src']);
    expect(checkout.tool('tsc', ['-p', 'tsconfig.pure.json'])).toMatchObject({ status: 0, stdout: '' });
    checkout.write({ 'src/stats/planted.ts': 'export const bytes = Buffer.alloc(1);\n' });
    const { status, stdout } = checkout.tool('tsc', ['-p', 'tsconfig.pure.json']);
    expect(status).not.toBe(0);
    expect(stdout).toContain("src/stats/planted.ts(1,22): error TS2591: Cannot find name 'Buffer'");
  });
});

/** Every file of a room, with its text. */
function sourceFiles(): { room: string; file: string; text: string }[] {
  const src = join(repository, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath !== src && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const file = path.slice(src.length + 1).replaceAll('\\', '/');
      return { room: file.split('/')[0] ?? '', file, text: readFileSync(path, 'utf8') };
    });
}

test('zod is imported as a namespace: by name it comes whole, with its messages in fifty languages', () => {
  const sources = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' });
  const named = sources.filter(
    (name) =>
      name.endsWith('.ts') && /^import \{.*from 'zod'/m.test(readFileSync(join(repository, 'src', name), 'utf8')),
  );
  expect(named).toEqual([]);
});
