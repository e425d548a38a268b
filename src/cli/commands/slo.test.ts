import { expect, test } from 'vitest';
import { cli } from '../../../test/fixtures/cli.ts';

const files = {
  'network.yaml': [
    'version: 1',
    "endpoints: [{ name: eu, url: 'https://eu.example.com' }]",
    'watch: { slos: [{ name: up, indicator: availability, objective: 0.99 }] }',
  ].join('\n'),
  'bare.yaml': "version: 1\nendpoints: [{ name: eu, url: 'https://eu.example.com' }]\n",
  'broken.yaml': 'version: 2\nendpoints: []\n',
};
const run = (...args: string[]) => cli(['slo', ...args], { files: { ...files } });

test.each([
  [['export', 'none.yaml'], 'none.yaml: no such file'],
  [['export', 'bare.yaml'], 'bare.yaml: watch.slos is empty'],
  [['export', 'broken.yaml'], 'broken.yaml:1:10: version: found 2'],
  [['export', 'network.yaml', 'bare.yaml'], '"bare.yaml": unexpected argument; allowed: at most 1'],
  [['draw', 'network.yaml'], '<action>: found "draw"; allowed: import, check, export'],
  [['export', 'network.yaml', '--format', 'grafana'], '--format grafana and --out DIR go together'],
  [['export', 'network.yaml', '--out', 'd'], '--format grafana and --out DIR go together'],
  [['check', 'network.yaml', '--out', 'd'], '--out: goes with export; found with check'],
  [['export', 'network.yaml', '--format', 'xml'], '--format: found "xml"'],
])('slo %j is a mistake that is named, and prints nothing', async (args, words) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

test('slo export --format grafana prints its files as one document with --json, and writes the same with --out', async () => {
  const printed = await run('export', 'network.yaml', '--format', 'grafana', '--json');
  const documents = JSON.parse(printed.stdout) as Record<string, unknown>;
  expect(printed.code).toBe(0);
  const written = await run('export', 'network.yaml', '--format', 'grafana', '--out', 'out');
  const names = written.stdout.trimEnd().split('\n');
  expect(names).toEqual(Object.keys(documents).map((name) => `out/${name}`));
  for (const [name, value] of Object.entries(documents))
    if (name.endsWith('.json')) expect(JSON.parse(await written.io.fs.readText(`out/${name}`))).toEqual(value);
  const both = await run('export', 'network.yaml', '--format', 'grafana', '--out', 'out', '--json');
  expect(both.stdout).toBe(printed.stdout);
  expect(await both.io.fs.readText(`out/${Object.keys(documents)[0]}`)).not.toBe('');
});

test.each(['prometheus', 'openslo', 'grafana'])(
  'slo export --format %s --json is one JSON document',
  async (format) => {
    const { code, stdout } = await run('export', 'network.yaml', '--format', format, '--json');
    expect(code).toBe(0);
    expect(() => JSON.parse(stdout)).not.toThrow();
  },
);
