import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ReflectorInput } from '../../src/lab/reflect/options.ts';
import { type Reflector, startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import { runCli } from '../../src/cli/run.ts';
import type { AssessReport } from '../../src/model/assess.ts';
import { fakeIo } from '../fakes/io.ts';
import { chatServer } from '../fixtures/chat-server.ts';
import { assessJson, cli, expectSplitsHold, startCli } from '../fixtures/cli.ts';

const reflectors: Reflector[] = [];
async function reflect(input: ReflectorInput = {}): Promise<Reflector> {
  const shape = { listen: '127.0.0.1:0', tokens: 6, tokenMs: 5, queueMs: 10 };
  const reflector = await startReflector({ ...shape, ...input }, plainIo());
  reflectors.push(reflector);
  return reflector;
}
afterAll(async () => {
  for (const reflector of reflectors) await reflector.stop();
});

const sizes = ['--prompt-tokens', '20', '--max-tokens', '6'];
const few = [...sizes, '-n', '15', '--pings', '10', '--ping-interval', '5', '--concurrency', '2'];
const yaml = (...endpoints: string[]) => `version: 1\nvantage: { name: desk }\nendpoints:\n${endpoints.join('')}`;
const endpoint = (name: string, url: string, more = '') =>
  `  - { name: ${name}, url: "${url}", dialect: openai-chat${more} }\n`;
const kindsOf = (report: AssessReport, kind: string) => report.observations.filter((o) => o.kind === kind);
const verdictOf = (report: AssessReport, id: string) => report.findings.find((f) => f.id === id)?.verdict;

/** A port of loopback where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

let plain: Reflector;
beforeAll(async () => {
  plain = await reflect();
});

const cold = (n: number) => Array.from({ length: n }, () => false);
const warm = (n: number) => Array.from({ length: n }, () => true);

describe('inferpath assess URL', () => {
  test('measures with every probe, judges, and prints one document of the published schema', async () => {
    const { code, report, stderr } = await assessJson([plain.url, ...few, '--vantage', 'my-desk', '--class', 'agent']);
    expect(stderr).toBe('');
    expect(report).toMatchObject({ vantage: 'my-desk', requests: 15, interrupted: false });
    expect(report.endpoints).toMatchObject([{ class: 'agent', requests: 15, answered: 15 }]);
    for (const kind of ['dns', 'tcp', 'trace', 'ping', 'inference', 'client'])
      expect(kindsOf(report, kind).length, kind).toBeGreaterThan(0);
    expect(kindsOf(report, 'ping')).toHaveLength(10);
    expect(new Set(report.observations.map((o) => o.from))).toEqual(new Set(['my-desk']));
    const requests = report.observations.flatMap((o) => (o.kind === 'inference' ? [o.request] : []));
    // Five cold, five alone on a warm connection, the rest at once.
    expect(requests.map((r) => r.reused).slice(0, 10)).toEqual([...cold(5), ...cold(1), ...warm(4)]);
    expectSplitsHold(requests);
    // Fifteen requests cannot show a 99th percentile: not a pass, and not a failure either.
    const { cells } = report.endpoints[0]!;
    expect(cells.speed?.verdict).not.toBe('pass');
    expect(code).toBe(report.ready === 'fail' ? 1 : 3);
  });

  test('what is unknown says what is missing, and is never a pass', async () => {
    const { report } = await assessJson([plain.url, ...sizes, '-n', '3', '--pings', '3', '--ping-interval', '5']);
    expect(report.ready).not.toBe('pass');
    for (const { cells } of report.endpoints)
      for (const cell of Object.values(cells)) if (cell.coverage < 1) expect(cell.verdict).not.toBe('pass');
    const unknown = report.findings.filter((f) => f.verdict === 'unknown');
    expect(unknown.length).toBeGreaterThan(0);
    expect(unknown.map((f) => f.claim + f.details.join()).join('\n')).toMatch(/need|more|not measured/);
  });

  test('a server that is slow is blamed itself, and the exit code is 1', async () => {
    const slow = await reflect({ queueMs: 600 });
    const eight = ['-n', '8', '--pings', '10', '--ping-interval', '5'];
    const { code, report } = await assessJson([slow.url, ...sizes, ...eight]);
    expect(code).toBe(1);
    expect(report.endpoints[0]).toMatchObject({ blame: 'server' });
  });

  test('works over IPv6', async () => {
    const six = await reflect({ listen: '[::1]:0' });
    const { report } = await assessJson([six.url, ...few, '--family', '6']);
    expect(report.endpoints[0]).toMatchObject({ answered: 15 });
    for (const kind of ['tcp', 'ping'] as const)
      for (const one of kindsOf(report, kind)) expect(one).toMatchObject({ outcome: { kind: 'answered' } });
    expect(report.findings.filter((f) => f.verdict === 'fail' && f.pillar === 'reach')).toEqual([]);
  });

  test('an endpoint that nobody answers fails in reach, and when there is nothing else the exit code is 3', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const { code, report } = await assessJson([url, ...few]);
    expect(code).toBe(3);
    expect(report.ready).toBe('fail');
    expect(report.endpoints[0]).toMatchObject({ answered: 0, cells: { reach: { verdict: 'fail' } } });
    for (const pillar of ['speed', 'scale'] as const)
      expect(report.endpoints[0]?.cells[pillar]?.verdict, pillar).not.toBe('pass');
    // Two requests say it as well as hundreds.
    expect(kindsOf(report, 'inference')).toHaveLength(2);
    const both = await assessJson([url, plain.url, ...few]);
    expect(both.code).toBe(1);
    expect(both.report.endpoints.map((e) => e.answered > 0)).toEqual([false, true]);
  });

  test('TLS: an untrusted certificate is a failure of security with nothing sent; --ca heals it', async () => {
    const secure = await reflect({ tls: {} });
    const refused = await assessJson([secure.url, ...few]);
    expect(refused.code).toBe(3);
    expect(refused.report.endpoints[0]?.cells.security?.verdict).toBe('fail');
    expect(secure.stats().requests).toBe(0);
    const files = { 'ca.pem': secure.certificate ?? '' };
    const trusted = await assessJson([secure.url, ...few, '--ca', 'ca.pem'], { files });
    expect(trusted.report.endpoints[0]?.answered).toBe(15);
    expect(verdictOf(trusted.report, 'old-tls')).toBe('pass');
    expect(kindsOf(trusted.report, 'tls').length).toBeGreaterThan(0);
  });
});

describe('inferpath assess network.yaml', () => {
  test('assesses every endpoint with its own workload, count and key', async () => {
    await using first = await chatServer();
    await using second = await chatServer();
    const network = yaml(
      endpoint('one', first.url, ', auth: { env: ONE_KEY }, requests: 4'),
      endpoint('two', second.url, ', auth: { file: two.key, header: x-key }, requests: 6, workload: batch'),
    );
    const files = { 'network.yaml': network, '/home/test/two.key': 'second-secret\n' };
    const env = { ONE_KEY: 'first-secret' };
    const pings = ['--pings', '3', '--ping-interval', '5'];
    const { report, stdout, stderr, io } = await assessJson(
      ['network.yaml', ...sizes, ...pings, '--html', 'r.html', '--markdown', 'r.md'],
      { files, env },
    );
    expect(report).toMatchObject({
      vantage: 'desk',
      endpoints: [
        { name: 'one', class: 'chat', requests: 4, answered: 4 },
        { name: 'two', class: 'batch', requests: 6, answered: 6 },
      ],
    });
    const posts = (server: typeof first) => server.seen.filter((s) => s.method === 'POST').map((s) => s.headers);
    expect(posts(first)).toHaveLength(4);
    expect(posts(second)).toHaveLength(6);
    for (const headers of posts(first)) expect(headers.authorization).toBe('Bearer first-secret');
    for (const headers of posts(second)) expect(headers).toMatchObject({ 'x-key': 'second-secret' });
    expect(stderr).toBe('wrote r.md\nwrote r.html\n');
    const [html, markdown] = [io.written.get('r.html') ?? '', io.written.get('r.md') ?? ''];
    expect(html).toMatch(/^<!doctype html>/i);
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(markdown).toMatch(/^# /);
    for (const text of [stdout, stderr, html, markdown]) expect(text).not.toMatch(/first-secret|second-secret/);
    for (const text of [html, markdown]) for (const name of ['one', 'two']) expect(text).toContain(name);
  });

  test.each([
    ['a key that is not set', ', auth: { env: NO_KEY }', 'endpoint e: the environment variable NO_KEY is not set'],
    ['a key file that is not there', ', auth: { file: no.key }', 'endpoint e: cannot read the key file'],
    ['a workload that does not exist', ', workload: chatt', 'did you mean chat?'],
  ])('%s is a mistake that is told before anything is sent', async (_what, more, words) => {
    await using server = await chatServer();
    const files = { 'network.yaml': yaml(endpoint('e', server.url, more)) };
    const { code, stdout, stderr } = await cli(['assess', 'network.yaml'], { files });
    expect({ code, stdout, seen: server.seen }).toEqual({ code: 2, stdout: '', seen: [] });
    expect(stderr).toContain(words);
  });

  test('a report that cannot be written is told, and the verdict is printed all the same', async () => {
    const readonly = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }));
    const io = fakeIo({ realClock: true });
    const full = { ...io, fs: { ...io.fs, writeText: readonly } };
    const code = await runCli(['assess', plain.url, ...few, '--html', 'r.html'], full);
    expect(io.stderr()).toContain('cannot write r.html: EACCES');
    expect(io.stdout()).toContain('speed');
    expect(code).toBe(2);
  });
});

describe('on a terminal and off', () => {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  const escapes = /\u001b/;

  test('the matrix stands on stdout without colour, progress on stderr only where it is a terminal', async () => {
    const piped = await cli(['assess', plain.url, ...few]);
    expect(piped.stderr).toBe('');
    expect(piped.stdout).not.toMatch(escapes);
    expect(piped.stdout).toMatch(/speed +scale +reliability +reach +security/);
    const shown = await cli(['assess', plain.url, ...few], { stdoutIsTty: true, colors: true, columns: 60 });
    expect(shown.stderr).not.toContain('\n');
    expect(shown.stderr.endsWith('\r\u001b[2K')).toBe(true);
    for (const line of shown.stderr.split('\r\u001b[2K')) expect([...line].length).toBeLessThan(60);
    expect(shown.stdout).toMatch(escapes);
  });

  test('Ctrl-C prints what there is, with 130', async () => {
    const slow = await reflect({ queueMs: 100 });
    const running = startCli(['assess', slow.url, ...sizes, '--html', '/dev/null']);
    await vi.waitUntil(() => slow.stats().tokens > 30, { timeout: 30_000, interval: 10 });
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('wrote /dev/null\n');
    expect(stdout).toMatch(/interrupted/i);
    expect(stdout).toMatch(/speed +scale/);
    expect(stdout).not.toMatch(escapes);
  });
});
