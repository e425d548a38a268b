import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fakeIo, type FakeIoOptions } from '../../../test/fakes/io.ts';
import { importReport } from '../../model/import.ts';
import { runCli } from '../run.ts';

const ping = readFileSync(new URL('../../../test/fixtures/outputs/debian/ping-loss.txt', import.meta.url), 'utf8');

async function run(words: readonly string[], options: FakeIoOptions = {}) {
  const io = fakeIo(options);
  const code = await runCli(['import', ...words], io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

describe('inferpath import', () => {
  test('prints a block for each file and a row for each target', async () => {
    const { code, stdout } = await run(['ping.txt'], { files: { 'ping.txt': ping } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ping\.txt\nping · 24 lines · 20 observations · 2026-/);
    expect(stdout).toMatch(/10\.1\.0\.3 \(ping\) +20 +20 +35 % /);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('--json is one document of the published schema, with names and format as asked', async () => {
    const { code, stdout } = await run(['--json', '--from', 'office', '--to', 'api', '-'], { stdin: ping });
    expect(code).toBe(0);
    const report = importReport.parse(JSON.parse(stdout));
    expect(report.observations).toHaveLength(20);
    expect(report.observations[0]).toMatchObject({ kind: 'ping', from: 'office', to: 'api' });
    expect(report.observations[0]?.how).toBe('imported from ping (iputils), stdin; time of its line');
    expect(report.files).toMatchObject([{ file: 'stdin', format: 'ping', encoding: 'utf-8' }]);
  });

  test('a file that nobody knows is a mistake with the nearest guess; the others are still printed', async () => {
    const files = { 'a.txt': ping, 'b.txt': 'the icmp_seq was high\n', 'c.txt': 'Dear all\n' };
    const { code, stdout, stderr } = await run(['a.txt', 'b.txt', 'c.txt', 'none.txt'], { files });
    expect(code).toBe(2);
    expect(stdout).toContain('10.1.0.3');
    expect(stderr).toContain('Cannot recognise "b.txt"; nearest is ping, for the word "icmp_seq"');
    expect(stderr).toContain('Cannot recognise "c.txt"; nothing in it looks like');
    expect(stderr).toContain('Cannot read "none.txt"');
  });

  test('3 when there is nothing in it', async () => {
    expect(await run(['-'], { stdin: '' })).toMatchObject({ code: 3, stdout: 'NOTE -: is empty\n' });
    const { code, stdout } = await run(['--format', 'ping', '-'], { stdin: 'nothing of ping\n' });
    expect(code).toBe(3);
    expect(stdout).toContain('stdin:1: not understood: "nothing of ping"');
  });

  test('--at and --interval place probes without times; --zone reads local ones', async () => {
    const plain = ping.replace(/^\[[\d.]+\] /gm, '');
    const words = ['--json', '--at', '2026-01-01T00:00:00Z', '--interval', '0.5', '-'];
    const placed = importReport.parse(JSON.parse((await run(words, { stdin: plain })).stdout));
    expect(placed.files[0]).toMatchObject({ first: '2026-01-01T00:00:00.000Z', last: '2026-01-01T00:00:09.500Z' });
    const local =
      'Pinging 10.0.0.1 with 32 bytes of data:\n2026-06-01 12:00:00 Reply from 10.0.0.1: bytes=32 time=9ms TTL=61\n';
    const read = importReport.parse(
      JSON.parse((await run(['--json', '--zone', '+02:00', '-'], { stdin: local })).stdout),
    );
    expect(read.files[0]?.first).toBe('2026-06-01T10:00:00.000Z');
  });

  test('refuses a format, a zone and a time that are none', async () => {
    const { code, stderr } = await run(['--format', 'pign', '--zone', 'CET', '--at', 'yesterday', 'x']);
    expect(code).toBe(2);
    for (const flag of ['--format', '--zone', '--at']) expect(stderr).toContain(`${flag}: found`);
  });
});
