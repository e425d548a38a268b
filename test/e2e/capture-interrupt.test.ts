import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { captureFlowsReport } from '../../src/model/capture/collection-report.ts';
import { captureReport } from '../../src/model/capture/report.ts';
import { fileOf, type Pack, packsOf } from '../fixtures/capture-mutants.ts';
import { startCli } from '../fixtures/cli.ts';

// A pipe is in capture.test.ts, an interface in test/lab/capture-command.test.ts.

const fixture = gunzipSync(readFileSync(new URL('../fixtures/captures/lost-and-late.pcapng.gz', import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-capture-interrupt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rounds = 900;
/** The same streams again and again, as much later: so many packets that nobody reads them in a moment. */
function longFile(): string {
  const packs = packsOf(fixture);
  const again: Pack[] = [];
  for (let round = 0; round < rounds; round++)
    for (const pack of packs) again.push({ ...pack, seconds: pack.seconds + 10 * round });
  const path = join(folder, 'long.pcap');
  writeFileSync(path, fileOf(again, 'pcap'));
  return path;
}

describe('Ctrl-C', () => {
  test('in a long file prints what it has, exits with 130 and leaves nothing', async () => {
    const path = longFile();
    const page = join(folder, 'page.html');
    const running = startCli(['capture', path, '--lines', '--html', page]);
    await running.said('"line":"exchange"');
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    const { line, ...sums } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { line: string };
    expect(line).toBe('capture');
    const { interrupted, packets, totals } = captureReport
      .omit({ schema: true, version: true, flows: true })
      .parse(sums);
    expect(interrupted).toBe(true);
    expect(packets).toBeGreaterThan(0);
    expect(packets).toBeLessThan(rounds * 470);
    expect(totals.exchanges).toBeGreaterThan(0);
    // What was asked for is there, too, and nothing else.
    expect(readFileSync(page, 'utf8')).toContain('</html>');
    expect(readdirSync(folder).toSorted()).toEqual(['long.pcap', 'page.html']);
  });

  test.each([
    ['without a limit', []],
    ['long before its time is over', ['--duration', '3600']],
  ])('while it listens for flow exports, %s, prints what it has and exits with 130', async (_, limit) => {
    const running = startCli(['capture', '--listen', '127.0.0.1:0', '--json', ...limit]);
    await running.said(/listening on 127\.0\.0\.1:\d+/);
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(running.stderr())![1]);
    const socket = createSocket('udp4');
    await new Promise<void>((done) => socket.send(Buffer.from('no export'), port, '127.0.0.1', () => done()));
    socket.close();
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(captureFlowsReport.parse(JSON.parse(stdout))).toMatchObject({ interrupted: true, records: 0 });
  });
});
