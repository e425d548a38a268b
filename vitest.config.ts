import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** What they hold against a truth is times, or all of the machine's speed: they run alone. */
const timed = [
  'test/lab/{assess,attribution,ping,probes,responsiveness,stock-tools,throughput,trace-command}.test.ts',
  'test/e2e/{demo-blame,proxied-streams}.test.ts',
];

// In CI a failed test has a second try, since the machine may stand still for longer than any patience; `npm test` names each that
// needed it, with what it said the first time.
const retry = process.env['CI'] ? 1 : 0;
const patient = { testTimeout: 120_000, hookTimeout: 60_000, retry };

// Threads, like programs, start from what `npm test` has just built; see test/fixtures/programs.ts.
const alias = process.env['INFERPATH_COMPILED_TESTS']
  ? [
      {
        find: /^\.{1,2}\/(.*\/)?worker\.ts$/,
        replacement: fileURLToPath(new URL('test/fixtures/built-worker.ts', import.meta.url)),
      },
    ]
  : [];

// unit: beside the source, no privilege. lab: network namespaces. e2e: the built CLI, the browser, the
// pages. One group after the other; those of lab and e2e wait more than they work, so three files run at once.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          alias,
          name: 'unit',
          include: ['src/**/*.test.ts'],
          testTimeout: 20_000,
          retry,
          maxWorkers: 2,
          isolate: false, // loading the modules anew for each of 200 files took half of the time
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          alias,
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...timed],
          ...patient,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          alias,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/docs/**/*.test.ts'],
          isolate: false, // as above: most load the whole CLI, and none changes what others see
          exclude: [...configDefaults.exclude, ...timed],
          ...patient,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: { alias, name: 'timed', include: timed, ...patient, fileParallelism: false, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
