import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../src/', import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.(test|case)\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, root), 'utf8') }));
const starting = sources.filter(({ text }) => /from 'node:child_process'|import\('node:child_process'\)/.test(text));

test('child processes are started with arrays of arguments, never by a text that a shell reads', () => {
  expect(starting.length).toBeGreaterThan(3);
  for (const { name, text } of starting) {
    const imported = [...text.matchAll(/import (?:type )?\{([^}]*)\} from 'node:child_process'/g)].flatMap((m) =>
      m[1]!.split(','),
    );
    const values = imported
      .map((one) => one.trim())
      .filter((one) => one !== '' && !one.startsWith('type ') && /^[a-z]/.test(one));
    // exec, execSync and fork with a shell are not among them.
    expect(
      values.filter((one) => !['spawn', 'spawnSync', 'execFile', 'execFileSync'].includes(one)),
      name,
    ).toEqual([]);
    expect(text, name).not.toMatch(/\bshell:/);
    expect(text, name).not.toMatch(/import\('node:child_process'\)/);
  }
});

test('where a shell is needed, its text is a constant, and what comes from elsewhere follows as arguments', () => {
  const shells = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/['"](?:\/bin\/)?(?:ba)?sh['"],\s*\[?\s*['"]-e?c['"],\s*([^\s,\])]+)/g)].map((m) => ({
      name,
      script: m[1]!,
    })),
  );
  for (const { name, script } of shells) {
    // A template with something inside would be put together from pieces.
    expect(script.startsWith('`'), name).toBe(false);
  }
});

test('nothing is made of text at run time: no eval, no Function, no vm', () => {
  for (const { name, text } of sources) {
    expect(text, name).not.toMatch(/\beval\(|new Function\(|from 'node:vm'/);
  }
});
