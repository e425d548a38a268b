import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PrepareError, checkNode, isInstalled } from '../../scripts/prepare.mjs';
import { MiniCheckout, cleanEnv, repository, runIn } from './mini-checkout.ts';

const settings = [
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts',
  'src/cli/inferpath.cjs',
];
const echo = 'process.stdout.write(`${JSON.stringify(process.argv.slice(2))}\\n`);\n';

/** A checkout whose CLI only prints its arguments. */
function echoing(): MiniCheckout {
  const checkout = new MiniCheckout(settings);
  checkout.write({ 'src/cli/main.ts': echo });
  return checkout;
}

describe('npm start', () => {
  test('builds, passes the arguments on, and leaves stdout to the CLI', () => {
    using checkout = echoing();
    const { status, stdout, stderr } = checkout.run('npm', ['start', '--', 'infer', '--json', 'a b', '$HOME']);
    expect(stdout).toBe('["infer","--json","a b","$HOME"]\n');
    expect(stderr).toBe('inferpath: building …\n');
    expect(status).toBe(0);
  });

  test('without arguments runs the embedded example', () => {
    using checkout = echoing();
    expect(checkout.run('npm', ['start']).stdout).toBe('["assess","--demo"]\n');
  });

  test('builds again only when something that is built has changed', () => {
    using checkout = echoing();
    const built = () => {
      const { stderr } = checkout.run(process.execPath, ['scripts/start.mjs']);
      return { said: stderr, mtimeMs: statSync(checkout.path('dist/cli/main.js')).mtimeMs };
    };
    const first = built();
    expect(built()).toEqual({ said: '', mtimeMs: first.mtimeMs });

    checkout.write({ 'src/cli/main.test.ts': 'export {};\n', 'src/cli/main.ts': echo });
    expect(built()).toEqual({ said: '', mtimeMs: first.mtimeMs });

    checkout.write({ 'src/cli/more.ts': 'export const more = 1;\n' });
    expect(built().said).toBe('inferpath: building …\n');
    expect(readdirSync(checkout.path('dist/cli'))).toContain('more.d.ts');
    expect(readdirSync(checkout.root).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  test('keeps the last good build when the source does not compile, and says so with exit code 3', () => {
    using checkout = echoing();
    checkout.run(process.execPath, ['scripts/start.mjs']);
    checkout.write({ 'src/cli/main.ts': 'const port: number = "443";\nexport { port };\n' });
    const { status, stdout, stderr } = checkout.run(process.execPath, ['scripts/start.mjs']);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain("src/cli/main.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.");
    expect(stderr).toMatch(/inferpath: the build failed: see the messages of tsc above\n$/);
    expect(readFileSync(checkout.path('dist/cli/main.js'), 'utf8')).toContain('process.argv');
    expect(readdirSync(checkout.root).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  test('builds nothing that imports tests: they are not part of the package', () => {
    using checkout = echoing();
    checkout.write({
      'test/fake.ts': 'export const fake = 1;\n',
      'src/cli/more.ts': "export { fake } from '../../test/fake.ts';\n",
    });
    const { status, stderr } = checkout.run(process.execPath, ['scripts/start.mjs']);
    expect(status).toBe(3);
    expect(stderr).toContain('error TS6059');
  });

  test('ends with the exit code of the CLI', () => {
    using checkout = new MiniCheckout(settings);
    checkout.write({ 'src/cli/main.ts': 'process.exitCode = 130;\n' });
    expect(checkout.run('npm', ['start']).status).toBe(130);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('passes %s on once, and lets the CLI finish', async (signal) => {
    using checkout = new MiniCheckout(settings);
    checkout.write({
      'src/cli/main.ts': [
        'let count = 0;',
        `process.on('${signal}', () => {`,
        '  count++;',
        '  setTimeout(() => { process.stdout.write(`${count} signal`); process.exit(42); }, 100);',
        '});',
        "setInterval(() => undefined, 1000);\nprocess.stdout.write('ready ');\n",
      ].join('\n'),
    });
    const child = spawn(process.execPath, ['scripts/start.mjs'], { cwd: checkout.root, env: cleanEnv() });
    let stdout = '';
    for await (const chunk of child.stdout) {
      stdout += String(chunk);
      // Twice, as npm and the shell do for one key press.
      if (stdout === 'ready ') for (let i = 0; i < 2; i++) child.kill(signal);
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect({ stdout, code: child.exitCode }).toEqual({ stdout: 'ready 1 signal', code: 42 });
  });

  test('of this checkout prints the version and nothing else', () => {
    const { stdout, status } = runIn(repository, 'npm', ['start', '--', '--version']);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect({ stdout, status }).toEqual({ stdout: `inferpath ${version}\n`, status: 0 });
  });
});

describe('checkNode()', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '24.11.1'])('accepts %s', (version) => {
    expect(() => checkNode(version)).not.toThrow();
  });

  test.each(['18.20.8', '20.18.9', '12.22.12'])('refuses %s and says what is needed', (version) => {
    expect(() => checkNode(version)).toThrow(PrepareError);
    expect(() => checkNode(version)).toThrow(`Node ${version} is too old: inferpath needs Node 20.19 or newer`);
  });
});

describe('isInstalled()', () => {
  const locked = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/other-platform': { version: '2.0.0', integrity: 'sha512-o', optional: true },
  };
  const a = { 'node_modules/a': locked['node_modules/a'] };

  test.each([
    ['nothing was installed', undefined, false],
    ['all is there, but for a binary of another platform', a, true],
    ['something of before is left over', { ...a, 'node_modules/b': { version: '1.0.0' } }, true],
    ['a package is missing', {}, false],
    ['a version differs', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }, false],
    ['the content differs', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-b' } }, false],
    ['an optional one differs', { ...a, 'node_modules/other-platform': { version: '1.9.0' } }, false],
  ])('%s', (_what, present, expected) => {
    using checkout = new MiniCheckout([]);
    const root = checkout.path('elsewhere');
    mkdirSync(root);
    checkout.write({ 'elsewhere/package-lock.json': JSON.stringify({ packages: locked }) });
    if (present) checkout.write({ 'elsewhere/node_modules/.package-lock.json': JSON.stringify({ packages: present }) });
    expect(isInstalled(root)).toBe(expected);
  });

  test('holds for this checkout, so that npm test does not install again', () => {
    expect(isInstalled(repository)).toBe(true);
  });
});

describe('npm test', () => {
  const config =
    "export default { test: { projects: [{ test: { name: 'unit', include: ['src/**/*.test.ts'] } }] } };\n";

  /** Last line and exit code of `npm test` over these test files. */
  function tested(files: Record<string, string>, env: NodeJS.ProcessEnv = {}) {
    using checkout = echoing();
    checkout.write({ 'vitest.config.ts': config });
    for (const [name, body] of Object.entries(files))
      checkout.write({ [`src/${name}.test.ts`]: `import { expect, test } from 'vitest';\n${body}\n` });
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const { status, stdout } = checkout.run('env', [...assignments, 'npm', 'test']);
    return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) };
  }

  const passes = "test('passes', () => expect(1).toBe(1));";
  const fails = "test('fails', () => expect(1).toBe(2));";
  const skips = "test.skip('skips', () => expect(1).toBe(1));";

  test.each([
    ['all pass', { a: passes, b: passes }, '2 passed, 0 failed', 0],
    ['one fails', { a: passes + fails }, '1 passed, 1 failed', 1],
    ['one is skipped', { a: passes + skips }, '1 passed, 0 failed, 1 skipped', 0],
    ['a file does not load', { a: passes, b: "throw new Error('no');" }, '1 passed, 1 failed', 1],
    [
      'an error happens outside of a test',
      {
        a: `${passes}\nsetTimeout(() => { throw new Error('x'); });test('w', () => new Promise((r) => setTimeout(r, 50)));`,
      },
      '2 passed, 1 failed',
      1,
    ],
    ['there is no test', {}, '0 passed, 0 failed', 1],
    ['all are skipped', { a: skips }, '0 passed, 0 failed, 1 skipped', 1],
  ])('%s', (_what, files: Record<string, string>, last, status) => {
    expect(tested(files)).toMatchObject({ last, status });
  });

  test('does not run over a build that failed', () => {
    using checkout = echoing();
    checkout.write({ 'src/cli/main.ts': 'const port: number = "443";\nexport { port };\n' });
    const { status, stdout, stderr } = checkout.run('npm', ['test']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '0 passed, 0 failed\n' });
    expect(stderr).toContain('inferpath: the build failed');
  });

  test('names what was skipped when CI is set', () => {
    expect(tested({ a: passes + skips }, { CI: 'true' }).stdout).toContain('Skipped:\n  src/a.test.ts > skips\n');
  });
});
