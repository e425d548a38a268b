import { type ChildProcess, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { nftOf, run } from '../act/nftables/nft.ts';
import { runCli } from './run.ts';

/** Every process that Node starts, by whichever function. */
const started: ChildProcess[] = [];
const note = (message: unknown) => void started.push((message as { process: ChildProcess }).process);
const folder = mkdtempSync(join(tmpdir(), 'inferpath-words-'));
/** Stands in for nft: writes down its words and what it was handed. */
const program = join(folder, 'nft');
const log = join(folder, 'log');
beforeAll(() => {
  const code = `const { appendFileSync, readFileSync } = require('node:fs');
const line = JSON.stringify([process.argv.slice(2), readFileSync(0, 'utf8')]);
appendFileSync(${JSON.stringify(log)}, line + '\\n');\n`;
  writeFileSync(program, `#!${process.execPath}\n${code}`);
  chmodSync(program, 0o755);
  subscribe('child_process', note);
});
afterAll(() => {
  unsubscribe('child_process', note);
  rmSync(folder, { recursive: true, force: true });
});

const logged = (): unknown[] =>
  readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

const hostile = [
  '-oX',
  '--exec=id',
  '-f/etc/passwd',
  '$(id)',
  '`id`',
  ';id',
  '|id',
  'a\nflush ruleset',
  "';id;'",
  '\u202e',
  '漢字',
  '*',
  '~root',
];

test('what nft is asked for are words of ours: texts go through stdin, and a table that is not there is asked for by none', async () => {
  const text = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' }));
  await fc.assert(
    fc.asyncProperty(text, text, text, async (rules, family, name) => {
      writeFileSync(log, '');
      const nft = nftOf(program);
      expect([await nft.check(rules), await nft.load(rules), await nft.table(family, name)]).toEqual([
        null,
        null,
        null,
      ]);
      expect(logged()).toEqual([
        [['-c', '-f', '-'], rules],
        [['-f', '-'], rules],
        [['list', 'tables'], ''],
      ]);
    }),
    { numRuns: 8 },
  );
}, 60_000);

test('words reach a program as they are, each as one, and no word with a NUL starts anything', async () => {
  writeFileSync(log, '');
  await run(program, hostile, 'input');
  expect(logged()).toEqual([[hostile, 'input']]);
  await expect(run(program, ['a\u0000b'])).rejects.toThrow(/null bytes/);
});

test('starting a process is noticed here', async () => {
  const before = started.length;
  await once(spawn(process.execPath, ['--version'], { stdio: 'ignore' }), 'close');
  expect(started.length).toBe(before + 1);
});

const network = (name: string) => `version: 1
endpoints: [{ name: ${JSON.stringify(name)}, url: 'http://127.0.0.1:9/' }]
policy: { groups: [{ name: ${JSON.stringify(name)}, members: [${JSON.stringify(name)}] }] }
`;

test('no measuring or reading command starts a process, whatever it is given', async () => {
  const before = started.length;
  for (const word of hostile) {
    const lines = [
      ...['ping', 'trace', 'mtu', 'infer', 'stamp', 'throughput', 'responsiveness', 'import'].map((one) => [
        one,
        '--',
        word,
      ]),
      ...['tls', 'exposure'].map((one) => ['secure', one, '--', word]),
      ['ping', `${word}.invalid`, '-n', '1'],
      ['assess', '/n.yaml', `--vantage=${word}`],
      ['secure', 'inventory', '/n.yaml'],
      ['secure', 'policy', 'emit', '/n.yaml', `--host=${word}`],
      ['secure', 'policy', 'drift', '/n.yaml', `--connections=${word}`],
      ['serve', '/n.yaml', `--data=${word}`, `--name=${word}`],
      ['init', `--file=${word}`],
    ];
    for (const line of lines) {
      const code = await runCli(line, fakeIo({ files: { '/n.yaml': network(word) } }));
      expect([0, 1, 2, 3], line.join(' ')).toContain(code);
    }
  }
  expect(started.slice(before).map(({ spawnargs }) => spawnargs)).toEqual([]);
}, 120_000);
