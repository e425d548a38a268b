import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { captureReport, type CaptureReport } from '../../src/model/capture/report.ts';
import { fileOf, packsOf } from '../fixtures/capture-mutants.ts';
import { published, startCli } from '../fixtures/cli.ts';

// Five streamed answers over an emulated path with losses and late packets, at the client, cut to 160 octets a packet. Its server
// stood still for 300 ms now and then.
const fixture = fileURLToPath(new URL('../fixtures/captures/lost-and-late.pcapng.gz', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  return startCli(['capture', ...args]).ended;
}

const report = async (...args: string[]): Promise<CaptureReport> =>
  captureReport.parse(published('capture', (await run(...args, '--json')).stdout));

describe('inferpath capture', () => {
  test('shows the worst stream first, with the cause of its stalls, in 80 columns', async () => {
    const { code, stdout } = await run(fixture);
    expect(code).toBe(0);
    expect(stdout).toMatch(/5 conversations, 5 of TCP/);
    expect(stdout).toMatch(/stalls?, .* in all, the longest \d+ ms: the model server was silent/);
    expect(stdout).toMatch(/stalls?, .* in all, the longest \d+ ms: packets were lost and sent again/);
    expect(stdout).toMatch(/1\. 10\.1\.0\.1:\d+ → 10\.1\.0\.2:7041/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('says as JSON what it says as text, by the published schema', async () => {
    const { flows, totals, quality, sources } = await report(fixture);
    expect(sources).toMatchObject([{ format: 'pcapng', packets: 470, problem: null }]);
    expect(flows).toHaveLength(5);
    expect(totals).toMatchObject({ conversations: 5, exchanges: 5, streams: 5 });
    expect(quality).toMatchObject({ oneSided: 0, fromTheMiddle: 0, lostOctets: 0 });
    for (const { tcp, exchanges } of flows) {
      expect(tcp!.toServer!.lowestMs).toBeGreaterThan(39);
      expect(tcp!.toServer!.lowestMs).toBeLessThan(45);
      expect(exchanges).toHaveLength(1);
      expect(exchanges[0]!.firstChunk!.atTapMs).toBeGreaterThan(100);
      expect(exchanges[0]!.kind).toBe('tls');
    }
  });

  test('a pipe and a file are read alike', async () => {
    const whole = await report(fixture);
    const running = startCli(['capture', '-', '--json'], { stdin: 'pipe' });
    running.child.stdin!.end(gunzipSync(readFileSync(fixture)));
    const piped = captureReport.parse(JSON.parse((await running.ended).stdout));
    expect(piped.flows).toEqual(whole.flows);
    expect(piped.sources[0]!.name).toBe('stdin');
  });

  test('threads tell what one tells', async () => {
    const one = await report(fixture, '--threads', '1');
    const three = await report(fixture, '--threads', '3');
    const inOrder = ({ flows, ...rest }: CaptureReport) => ({
      ...rest,
      flows: flows.toSorted((a, b) => a.number - b.number),
    });
    expect(inOrder(three)).toEqual(inOrder(one));
  });

  test('several files are one capture, in the order of their packets and not of their names', async () => {
    const packs = packsOf(gunzipSync(readFileSync(fixture)));
    const [early, late] = [join(folder, 'z-early.pcap'), join(folder, 'a-late.pcap')];
    writeFileSync(early, fileOf(packs.slice(0, 200), 'pcap'));
    writeFileSync(late, fileOf(packs.slice(200), 'pcap'));
    const [whole, halves] = [await report(fixture), await report(late, early)];
    expect(halves.sources.map(({ name, packets }) => [name, packets])).toEqual([
      [early, 200],
      [late, 270],
    ]);
    expect({ ...halves, sources: [], startAt: '' }).toEqual({ ...whole, sources: [], startAt: '' });
  });

  test('two taps of the same time are looked at each by itself, and it is said which saw what', async () => {
    const other = join(folder, 'other-tap.pcapng.gz');
    copyFileSync(fixture, other);
    const once = await report(fixture);
    const page = join(folder, 'two-taps.html');
    const { totals, quality, packets, flows } = await report(fixture, other, '--html', page);
    expect(packets).toBe(940);
    expect(quality).toMatchObject({ taps: 2, backwards: 0, duplicates: 0 });
    expect(totals.retransmittedSegments).toBe(2 * once.totals.retransmittedSegments);
    expect(flows).toHaveLength(10);
    const { stdout } = await run(fixture, other);
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('taken for captures of 2 taps, each looked at by itself');
    expect(text).toMatch(/→ 10\.1\.0\.2:7041, in \S+other-tap\.pcapng\.gz/);
    // Each answer with the packets of its own tap.
    const circles = (html: string) =>
      html.match(/<circle/g)!.length / html.match(/Sequence numbers against time"/g)!.length;
    const single = join(folder, 'one-tap.html');
    await run(fixture, '--html', single);
    expect(circles(readFileSync(page, 'utf8'))).toBeLessThan(1.5 * circles(readFileSync(single, 'utf8')));
  });

  test('a pipe with a name is read as one', async () => {
    const path = join(folder, 'named');
    execFileSync('mkfifo', [path]);
    const running = startCli(['capture', path, '--json', '--html', join(folder, 'named.html')]);
    writeFileSync(path, gunzipSync(readFileSync(fixture)));
    const piped = captureReport.parse(JSON.parse((await running.ended).stdout));
    expect(piped.flows).toHaveLength(5);
  });

  test('as lines, each is an object that says what it is, and the sums come last', async () => {
    const { stdout } = await run(fixture, '--lines');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { line: string }).line);
    expect(lines.filter((line) => line === 'flow')).toHaveLength(5);
    expect(lines.filter((line) => line === 'exchange')).toHaveLength(5);
    expect(lines).toContain('event');
    expect(lines.at(-1)).toBe('capture');
  });

  test('a table has a row for each conversation', async () => {
    const path = join(folder, 'flows.csv');
    const { code } = await run(fixture, '--csv', path);
    expect(code).toBe(0);
    const rows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\r\n')
      .map((row) => row.split(','));
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(rows[0]!.slice(0, 4)).toEqual(['number', 'protocol', 'client', 'server']);
  });

  test('a page shows when each stream waited, and loads nothing', async () => {
    const path = join(folder, 'report.html');
    const { code } = await run(fixture, '--html', path);
    expect(code).toBe(0);
    const page = readFileSync(path, 'utf8');
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<svg[^>]*When each answer waited/g)).toHaveLength(5);
    expect(page.match(/<svg[^>]*Sequence numbers against time/g)).toHaveLength(5);
    expect(page).toMatch(/<circle[^>]*sent again; the first copy never reached the tap/);
    expect(page).toMatch(/<rect class="hole"[^>]*missing for/);
    expect(page.length).toBeLessThan(400_000);
    expect(page).toMatch(/var\(--server\)" data-tip="the model server was silent: /);
    expect(page.replace(/<script>.*?<\/script>/s, '')).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('what is no capture is an error that says what it looks like', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\n');
    const { code, stderr } = await run(path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/notes\.txt.*Git LFS/);
  });

  test('a file that is not there is an error that names it', async () => {
    const { code, stderr } = await run(join(folder, 'none.pcap'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot read .*none\.pcap/);
  });

  test('of a file that was cut off, what came before counts, and it is said', async () => {
    const path = join(folder, 'cut.pcapng');
    writeFileSync(path, gunzipSync(readFileSync(fixture)).subarray(0, 40_001));
    const { code, stdout } = await run(path);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/cut\.pcapng" ends at octet 40001 in the middle of a record/);
    expect(stdout).toMatch(/5 conversations|4 conversations/);
  });

  test('interrupted while it waits for a pipe it prints what it has', async () => {
    const running = startCli(['capture', '-', '--lines'], { stdin: 'pipe' });
    running.child.stdin!.write(gunzipSync(readFileSync(fixture)));
    await running.said('"line":"event"');
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as CaptureReport;
    expect(last).toMatchObject({ line: 'capture', interrupted: true, packets: 470, totals: { conversations: 5 } });
  });
});
