// `npm test [-- vitest arguments]`: install and build what is out of date, run every test, and end with one line
// `N passed, N failed`. Fails when a test failed, when a test file did not load, and when nothing ran.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guarded, prepare } from './prepare.mjs';

/**
 * What we read of the JSON report of vitest.
 * @typedef {{ status: string, fullName: string, failureMessages: string[] }} TestResult
 * @typedef {{ name: string, status: string, assertionResults: TestResult[] }} FileResult
 * @typedef {{ testResults: FileResult[] }} Report
 */

const root = fileURLToPath(new URL('..', import.meta.url));

/** Started by tests as processes of their own, again and again: compiled once they start in a fifth of the time. */
const programs = [
  'bench/ping-accuracy/stalled',
  'test/fakes/read-network',
  'test/fakes/waiting',
  'test/lab/capture-interface',
  'test/lab/exposed-servers',
  'test/lab/lab-child',
  'test/lab/policy-connects',
  'test/lab/policy-packets',
  'test/lab/run-mtu',
  'test/lab/run-probe',
  'test/lab/run-stamp',
  'test/lab/run-trace',
].map((name) => join(root, `${name}.ts`));

let ran = false;
await guarded(async () => {
  prepare();
  ran = true;
  const compiled = join(root, `dist.${process.pid}.test`);
  try {
    await compile(compiled);
    run(compiled);
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}, 1);
// A failed build has been told; whoever reads only the last line learns that nothing ran.
if (!ran) print('0 passed, 0 failed');

/**
 * The programs of the tests, with the threads that they start beside them; two levels below package.json like their source, because
 * some ask for files by import.meta.url.
 * @param {string} folder
 */
async function compile(folder) {
  // A checkout of the tests of this script has none.
  if (!programs.every((path) => existsSync(path))) return;
  // Imported here, because it is there only after the installation.
  const { build } = await import('esbuild');
  await build({
    entryPoints: programs.map((path) => ({ in: path, out: join('cli', basename(path, '.ts')) })),
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: 'cli/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    alias: { zod: fileURLToPath(import.meta.resolve('zod')) },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  });
  const built = join(root, 'dist', 'cli');
  for (const name of readdirSync(built).filter((file) => file.endsWith('.worker.js')))
    copyFileSync(join(built, name), join(folder, 'cli', name));
}

/** @param {string} compiled */
function run(compiled) {
  const { status, report } = runVitest(process.argv.slice(2), compiled);
  const count = summarise(report);
  if (process.env['CI'] && count.skipped.length > 0)
    print(`\nSkipped:\n${count.skipped.map((name) => `  ${name}`).join('\n')}`);
  for (const { name, said } of count.retried) print(`Passed only at the second try: ${name}\n  at first: ${said}`);
  for (const name of count.broken) print(`Did not load: ${name}`);
  // Vitest also fails for what belongs to no test: an error outside of one, or a wrong argument.
  const unattributed = status !== 0 && count.failed === 0 && count.passed > 0 ? 1 : 0;
  if (unattributed > 0) print('Failed outside of any test: see the errors above');
  const failed = count.failed + unattributed;
  const skipped = count.skipped.length > 0 ? `, ${count.skipped.length} skipped` : '';
  print(`${count.passed} passed, ${failed} failed${skipped}`);
  process.exitCode = status === 0 && failed === 0 && count.passed > 0 ? 0 : 1;
}

/**
 * @param {string[]} args
 * @param {string} compiled see test/fixtures/programs.ts
 * @returns {{ status: number | null, report: Report | undefined }}
 */
function runVitest(args, compiled) {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-test-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, INFERPATH_COMPILED_TESTS: compiled },
    });
    return { status, report: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Report | undefined} report */
function summarise(report) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: relative(root, file.name) })),
  );
  // A file that threw while loading has failed, but holds no failed test.
  const broken = files
    .filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
    .map((file) => relative(root, file.name));
  /** @param {string[]} wanted */
  const names = (...wanted) =>
    tests.filter((test) => wanted.includes(test.status)).map((test) => `${test.file} > ${test.fullName}`);
  return {
    passed: names('passed').length,
    failed: names('failed').length + broken.length,
    skipped: names('skipped', 'pending', 'todo', 'disabled'),
    retried: tests
      .filter((test) => test.status === 'passed' && test.failureMessages.length > 0)
      .map((test) => ({
        name: `${test.file} > ${test.fullName}`,
        said: test.failureMessages[0]?.split('\n    at ')[0]?.slice(0, 500),
      })),
    broken,
  };
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
