import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeIo, type FakeIoOptions } from '../../../test/fakes/io.ts';
import { writeMmdb } from '../../gather/asn/mmdb-writer.case.ts';
import { traceReport } from '../../model/trace-report.ts';
import { files } from '../io.ts';
import { runCli } from '../run.ts';
import { traceDestination } from '../trace-target.ts';

const quick = ['--count', '8', '--interval', '0.02'];

async function trace(args: readonly string[], options: FakeIoOptions = {}) {
  const io = fakeIo({ realClock: true, platform: process.platform, ...options });
  const code = await runCli(['trace', ...args], io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

describe('traceDestination()', () => {
  test.each([
    ['api.example.com', 'api.example.com', null],
    ['api.example.com:8443', 'api.example.com', 8443],
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['fd00::1', '[fd00::1]', null],
    ['[fd00::1]:443', '[fd00::1]', 443],
    ['[fd00::1]', '[fd00::1]', null],
    ['https://api.example.com/v1', 'api.example.com', 443],
    ['http://api.example.com', 'api.example.com', 80],
    ['https://[fd00::1]:9000/', '[fd00::1]', 9000],
  ])('%s', (text, host, port) => {
    const { url, port: found } = traceDestination(text);
    expect([url.hostname, found]).toEqual([host, port]);
  });

  test.each([
    '',
    'host:0',
    'host:65536',
    'host:',
    'a b',
    'ftp://host/',
    'host/path',
    'user@host',
    '[fd00::1',
    'http://',
  ])('refuses %j', (text) => {
    expect(() => traceDestination(text)).toThrow(/^target: found .*; allowed: a host name/);
  });

  test('refuses a password and does not repeat it', () => {
    expect(() => traceDestination('https://u:secret@host/')).toThrow(/^(?!.*secret).*leave it out$/);
  });
});

describe('inferpath trace', () => {
  test('names every mistake at once', async () => {
    const line =
      'host --count 5 --duration 5 --interval 1 --rate 2 --json --format dot --first-hop 9 --max-hops 3 --protocol icmp --port 80';
    const { code, stderr, stdout } = await trace(line.split(' '));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.match(/^inferpath trace: --/gm)).toHaveLength(5);
  });

  test('a name that does not resolve could not be measured', async () => {
    const { code, stdout } = await trace(['nowhere.example', ...quick]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/the target was not reached: getaddrinfo nowhere\.example failed/);
  });

  test('another platform is told, and nothing crashes', async () => {
    const { code, stdout } = await trace(['127.0.0.1', ...quick], { platform: 'darwin' });
    expect(code).toBe(3);
    expect(stdout).toContain('exist on Linux only');
  });

  test('a prefix file with mistakes is told by line, before anything is sent', async () => {
    const { code, stderr } = await trace(['127.0.0.1', '--prefixes', 'p.txt'], {
      files: { 'p.txt': '10.0.0.0/8 1\nfoo\n' },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^inferpath trace: p\.txt:2: found "foo"; allowed: a prefix/);
  });

  test.each([
    [['--asn-db', 'no.mmdb'], /--asn-db: cannot read "no\.mmdb": ENOENT/],
    [['--asn-db', 'x.mmdb'], /--asn-db: x\.mmdb: no MaxMind DB/],
    [['--prefixes', 'no.txt'], /--prefixes: cannot read "no\.txt": ENOENT/],
  ])('%j', async (args, says) => {
    const { code, stderr } = await trace(['127.0.0.1', ...args], { files: { 'x.mmdb': 'text' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
  });
});

describe.skipIf(process.platform !== 'linux')('inferpath trace on loopback', () => {
  test.each([
    ['udp', '127.0.0.1', []],
    ['udp', '::1', []],
    ['tcp', '127.0.0.1:1', []],
    ['udp', '127.0.0.1:9', ['--protocol', 'udp']],
  ] as const)('by %s to %s finds the one hop there is', async (protocol, target, more) => {
    const { code, stdout, stderr } = await trace([target, ...more, ...quick, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = traceReport.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ protocol, reached: true, rounds: 8, changes: [] });
    expect(report.paths).toHaveLength(1);
    const [path] = report.paths;
    expect(path!.hops.map((h) => [h.ttl, h.isTarget, h.nat, h.sent, h.received])).toEqual([[1, true, false, 8, 8]]);
    expect(path!.id).toBe(report.graph!.paths[0]!.id);
  });

  test('names and systems stand in the report when they are asked for, and no name is asked for otherwise', async () => {
    const options = { columns: 120, ptr: { '127.0.0.1': ['loop.example'] }, files: { p: '127.0.0.0/8 64512 Loop' } };
    const args = ['127.0.0.1', ...quick, '--prefixes', 'p'];
    expect((await trace([...args, '--names'], options)).stdout).toContain('loop.example (127.0.0.1) AS64512 Loop');
    const { stdout } = await trace(args, options);
    expect(stdout).toContain('127.0.0.1 AS64512 Loop');
    expect(stdout).not.toContain('loop.example');
  });

  test('--asn-db reads a MaxMind DB; the prefix file comes first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-asn-'));
    try {
      const record = { autonomous_system_number: 65_000, autonomous_system_organization: 'From the database' };
      writeFileSync(join(folder, 'asn.mmdb'), writeMmdb([{ prefix: '127.0.0.0/8', record }]));
      writeFileSync(join(folder, 'own.txt'), '127.0.0.1/32 65001 Own\n');
      const run = async (...more: string[]) => {
        const io = { ...fakeIo({ realClock: true, platform: process.platform }), fs: files(folder) };
        let stdout = '';
        io.terminal.out = (text) => {
          stdout += text;
        };
        await runCli(['trace', '127.0.0.1', ...quick, '--asn-db', 'asn.mmdb', '--json', ...more], io);
        return traceReport.parse(JSON.parse(stdout)).paths[0]!.hops[0]!.addresses[0]!.asn;
      };
      expect(await run()).toEqual({ number: 65_000, name: 'From the database', prefix: '127.0.0.0/8' });
      expect(await run('--prefixes', 'own.txt')).toMatchObject({ number: 65_001 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['dot', /^digraph "trace to 127\.0\.0\.1" \{\n[^]*here -> n0;\n\}\n$/],
    ['mermaid', /^%% trace to 127\.0\.0\.1\nflowchart LR\n/],
    ['json', /^\{"schema":"inferpath\/trace@1".*\}\n$/],
  ])('--format %s prints that and nothing else', async (format, whole) => {
    expect((await trace(['127.0.0.1', ...quick, '--format', format])).stdout).toMatch(whole);
  });

  test('--duration ends by itself', async () => {
    const { code, stdout } = await trace(['127.0.0.1', '--duration', '0.5', '--interval', '0.1', '--json']);
    expect(code).toBe(0);
    expect(traceReport.parse(JSON.parse(stdout)).rounds).toBe(5);
  });
});
