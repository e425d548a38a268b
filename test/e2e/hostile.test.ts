import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { inference, networkOf } from '../../src/judge/build.case.ts';
import { judge } from '../../src/judge/judge.ts';
import { assessReport } from '../../src/model/assess.ts';
import { inferReport, type InferReport } from '../../src/model/infer-report.ts';
import { type Outcome, outcome } from '../../src/model/outcome.ts';
import { fakeIo } from '../fakes/io.ts';
import { program } from '../fixtures/programs.ts';
import { behaviours, type HostileKind, type HostileServer, hostileServer } from '../fixtures/hostile-server.ts';

/** How each of our two requests may end, what the findings name, and what else must hold. */
interface Expected {
  kind: Outcome['kind'] | Outcome['kind'][];
  /** Somewhere in the words of the outcome. */
  says?: RegExp;
  /** A finding that did not pass; none where the answer is good enough. */
  finding: string | null;
  code?: number;
  flags?: string[];
  also?: (server: HostileServer, report: InferReport) => void;
}

const nothingSent = (server: HostileServer) => {
  expect(server.received(), 'application bytes that left us').toBe(0);
  expect(server.requestLines()).toEqual([]);
};
const garbage: Expected = { kind: 'brokenStream', says: /HPE_/, finding: 'bad-protocol' };
const late = (phase: string): Expected => ({
  kind: 'timedOut',
  says: new RegExp(`"${phase}"`),
  finding: 'request-errors',
});

const table: Record<HostileKind, Expected> = {
  garbage,
  'garbage-at-accept': garbage,
  'never-answers': late('wait'),
  'closes-at-once': { kind: 'failed', says: /ECONNRESET/, finding: 'request-errors' },
  'drips-headers-forever': late('stream'),
  'drips-comments-forever': late('stream'),
  'drips-tokens-forever': { ...late('stream'), finding: 'broken-stream' },
  // The reset may come before connect() is told of, or after the request has left.
  'resets-at-accept': { kind: ['failed', 'refused'], says: /ECONNRESET|EPIPE/, finding: 'request-errors' },
  'resets-on-request': { kind: 'failed', says: /ECONNRESET/, finding: 'request-errors' },
  'resets-mid-stream': { kind: 'brokenStream', says: /ECONNRESET/, finding: 'broken-stream' },
  'stalls-mid-stream': { ...late('stream'), finding: 'broken-stream' },
  'content-length-too-long': { kind: 'brokenStream', says: /aborted|ended inside/, finding: 'broken-stream' },
  'content-length-too-short': garbage,
  'two-content-lengths': { ...garbage, says: /CONTENT_LENGTH/ },
  'length-and-chunked': { ...garbage, says: /TRANSFER_ENCODING/ },
  'chunk-size-not-hex': { ...garbage, says: /CHUNK_SIZE/ },
  'chunk-size-huge': { ...garbage, says: /CHUNK_SIZE/ },
  'chunk-longer-than-it-says': garbage,
  'one-gigabyte-of-headers': { ...garbage, says: /HEADER_OVERFLOW/ },
  'one-gigabyte-header-line': { ...garbage, says: /HEADER_OVERFLOW/ },
  'ten-megabyte-event': { kind: 'brokenStream', says: /oversized/, finding: 'broken-stream' },
  'one-gigabyte-event': { kind: ['timedOut', 'brokenStream'], says: /stream|ETOOBIG/, finding: 'request-errors' },
  'one-gigabyte-of-tokens': { kind: ['timedOut', 'brokenStream'], says: /stream|ETOOBIG/, finding: 'broken-stream' },
  'one-gigabyte-of-json': { kind: ['timedOut', 'brokenStream'], says: /stream|ETOOBIG/, finding: 'request-errors' },
  'one-gigabyte-error-body': { kind: ['timedOut', 'brokenStream'], says: /stream|ETOOBIG/, finding: 'request-errors' },
  'endless-ndjson': {
    kind: ['timedOut', 'brokenStream'],
    says: /stream|ETOOBIG/,
    finding: 'broken-stream',
    flags: ['--dialect', 'ollama'],
  },
  // Bytes that are not UTF-8 are replaced, as every consumer of SSE does; the token still came.
  'invalid-utf8': { kind: 'answered', finding: null, code: 0 },
  'control-characters-in-error': { kind: 'rejected', says: /evil/, finding: 'request-errors' },
  'gzip-unasked': { kind: 'brokenStream', says: /not-json/, finding: 'bad-protocol' },
  'html-under-200': { kind: 'brokenStream', says: /not-json/, finding: 'bad-protocol' },
  'json-error-under-200': { kind: 'brokenStream', says: /model is not loaded/, finding: 'request-errors' },
  'sse-error-under-200': { kind: 'brokenStream', says: /out of memory/, finding: 'request-errors' },
  'empty-200': { kind: 'brokenStream', says: /truncated/, finding: 'bad-protocol' },
  'no-content-204': { kind: 'rejected', says: /204/, finding: 'request-errors' },
  'too-many-requests': { kind: 'rejected', says: /"retryAfterMs":7000/, finding: 'rate-limited' },
  redirect: { kind: 'rejected', says: /307/, finding: 'request-errors' },
  'proxy-authentication': { kind: 'rejected', says: /407/, finding: 'request-errors' },
  'informational-flood': late('stream'),
  'continue-flood': late('stream'),
  'switching-protocols': { kind: 'brokenStream', says: /switches protocols/, finding: 'bad-protocol' },
  'http-0.9': garbage,
  'http-9.9': { ...garbage, says: /HPE_INVALID_VERSION/ },
  'smtp-greeting': garbage,
  'unasked-second-answer': {
    kind: 'answered',
    finding: null,
    code: 0,
    // Had the connection been kept, the second answer would have been older than its request.
    also: (_, report) => expect(report.requests.map((r) => r.reused)).not.toContain(true),
  },
  'tls-where-plain-is-expected': { kind: ['failed', 'brokenStream'], finding: 'request-errors', also: nothingSent },
  'plain-where-tls-is-expected': {
    kind: 'failed',
    says: /"tls".*WRONG_VERSION/,
    finding: 'bad-protocol',
    // What the TLS handshake itself says to a peer that is no TLS server, and no request.
    also: (server) => expect(server.requestLines()).toEqual([]),
  },
  'self-signed-certificate': {
    kind: 'failed',
    says: /"tls".*SELF_SIGNED/,
    finding: 'request-errors',
    also: nothingSent,
  },
  'expired-certificate': {
    kind: 'failed',
    says: /"tls".*(EXPIRED|SELF_SIGNED)/,
    finding: 'request-errors',
    also: nothingSent,
  },
  'tls-garbage-record': { kind: 'failed', says: /"tls".*ERR_SSL/, finding: 'bad-protocol' },
  'tls-never-answers': late('tls'),
};

const overTls = new Set<HostileKind>([
  'plain-where-tls-is-expected',
  'self-signed-certificate',
  'expired-certificate',
  'tls-garbage-record',
  'tls-never-answers',
]);
const urlOf = (kind: HostileKind, server: HostileServer) =>
  `${overTls.has(kind) ? 'https' : 'http'}://127.0.0.1:${server.port}`;
const kinds = Object.keys(behaviours) as HostileKind[];
/** What may confuse the trivial question of its own; the rest would only be tried twice. */
const alsoWithFloor = kinds.filter((kind) =>
  /^(garbage|never|closes|drips-h|resets|content-length|one-gigabyte-e|redirect|switching|informational|smtp|unasked|tls-where|self-s)/.test(
    kind,
  ),
);
/** Two requests, each at most 2 s (or 15 s where it ends by itself), and what a busy machine adds. */
const endsWithinMs = 40_000;

async function infer(
  kind: HostileKind,
  server: HostileServer,
  flags: string[],
): Promise<[number, InferReport, string]> {
  const io = fakeIo({ realClock: true });
  // Patience matters only where it is to run out: what ends by itself may take a busy machine longer.
  const timeoutS = [table[kind].kind].flat().includes('timedOut') ? 2 : 15;
  const own = [...(table[kind].flags ?? []), '--prompt-tokens', '10', '--max-tokens', '5'];
  const words = ['infer', urlOf(kind, server), '--json', '--timeout', String(timeoutS), ...own, ...flags];
  const code = await runCli(words, io);
  return [code, inferReport.parse(JSON.parse(io.stdout())), io.stderr()];
}

// The time limit of each test is the proof that nothing hangs.
describe.concurrent('a hostile peer', () => {
  test.each(kinds)(
    '%s: infer ends in time with the right outcome, code and finding',
    { timeout: endsWithinMs },
    async (kind) => {
      const server = await hostileServer(kind);
      try {
        const expected = table[kind];
        const [code, report, stderr] = await infer(kind, server, ['--requests', '2', '--no-floor']);
        expect(report.requests).toHaveLength(2);
        for (const r of report.requests) {
          expect([expected.kind].flat(), JSON.stringify(r.outcome)).toContain(r.outcome.kind);
          expect(JSON.stringify(outcome.parse(r.outcome))).toMatch(expected.says ?? /./);
        }
        expect(code).toBe(expected.code ?? 3);
        expect(stderr).not.toContain('INFERPATH_DEBUG');
        const findings = judge(
          networkOf([{ url: urlOf(kind, server) }]),
          report.requests.map((r) => inference(r)),
          new Date(),
        );
        const bad = findings.filter((f) => f.verdict !== 'pass').map((f) => f.id);
        if (expected.finding !== null) expect(bad).toContain(expected.finding);
        expected.also?.(server, report);
        // oxlint-disable-next-line no-control-regex -- what a finding says must not steer a terminal
        expect(findings.map((f) => f.claim + f.details.join('')).join('')).not.toMatch(/[\u0000-\u001f\u202e]/);
      } finally {
        await server.close();
      }
    },
  );

  test.each(alsoWithFloor)(
    '%s: the trivial question first changes nothing',
    { timeout: endsWithinMs },
    async (kind) => {
      const server = await hostileServer(kind);
      try {
        const [code, report] = await infer(kind, server, ['--requests', '1']);
        expect([table[kind].kind].flat()).toContain(report.requests[0]?.outcome.kind);
        expect(code).toBe(table[kind].code ?? 3);
      } finally {
        await server.close();
      }
    },
  );

  test('a redirect is not followed', async () => {
    const server = await hostileServer('redirect');
    await infer('redirect', server, ['--requests', '1', '--no-floor']);
    await server.close();
    expect(server.requestLines()).toHaveLength(1);
  });

  test('nothing listens: refused', async () => {
    const server = await hostileServer('garbage');
    await server.close();
    const [code, report] = await infer('garbage', server, ['--requests', '1', '--no-floor']);
    expect(report.requests[0]?.outcome).toEqual({ kind: 'refused', address: `127.0.0.1:${server.port}` });
    expect(code).toBe(3);
  });
});

describe.concurrent('a hostile peer and assess', () => {
  test.each(['garbage', 'resets-mid-stream', 'never-answers'] as const)(
    '%s: not ready, and the finding says why',
    { timeout: endsWithinMs },
    async (kind) => {
      const server = await hostileServer(kind);
      try {
        const io = fakeIo({ realClock: true });
        const few = [
          '--requests',
          '3',
          '--pings',
          '3',
          '--concurrency',
          '1',
          '--timeout',
          '1',
          '--prompt-tokens',
          '10',
        ];
        const code = await runCli(['assess', urlOf(kind, server), '--json', ...few], io);
        const report = assessReport.parse(JSON.parse(io.stdout()));
        expect([1, 3]).toContain(code);
        const bad = report.findings.filter((f) => f.verdict !== 'pass').map((f) => f.id);
        expect(bad).toContain(table[kind].finding);
      } finally {
        await server.close();
      }
    },
  );
});

const megabyte = 1 << 20;

async function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
}

describe.skipIf(process.platform !== 'linux')('a peer that floods', () => {
  test.each([
    'one-gigabyte-of-headers',
    'one-gigabyte-event',
    'one-gigabyte-of-tokens',
    'one-gigabyte-of-json',
  ] as const)('%s: the process grows by less than 200 MB', { timeout: endsWithinMs }, async (kind) => {
    const server = await hostileServer(kind);
    const args = ['infer', urlOf(kind, server), '--json', '--requests', '2', '--timeout', '2', '--no-floor'];
    const child = spawn(process.execPath, [...program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    let [before, highest] = [0, 0];
    while (child.exitCode === null && child.signalCode === null) {
      const pid = child.pid as number;
      if (before === 0 && server.requestLines().length > 0) before = await residentBytes(pid, 'VmRSS');
      highest = Math.max(highest, await residentBytes(pid, 'VmHWM'));
      await new Promise((next) => setTimeout(next, 10));
    }
    await server.close();
    expect(await exited).toEqual([3, null]);
    expect(inferReport.parse(JSON.parse(out)).summary.answered).toBe(0);
    expect(before).toBeGreaterThan(0);
    expect((highest - before) / megabyte).toBeLessThan(200);
  });
});
