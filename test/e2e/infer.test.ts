import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type KeyedCertificate, selfSignedCertificate } from '../../src/lab/reflect/certificate.ts';
import type { ReflectorInput } from '../../src/lab/reflect/options.ts';
import { type Reflector, startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import type { TruthRow } from '../../src/lab/reflect/truth.ts';
import type { InferenceRequest } from '../../src/model/inference.ts';
import { chatServer, httpProxy } from '../fixtures/chat-server.ts';
import { cli, expectSplitsHold, inferJson, startCli } from '../fixtures/cli.ts';

const small = ['--prompt-tokens', '20', '--max-tokens', '6'];
const quick = [...small, '--requests', '3'];
const shape = { listen: '127.0.0.1:0', tokens: 6, tokenMs: 5, queueMs: 10 } as const;
const tty = { stdoutIsTty: true, columns: 100 };

const rows: TruthRow[] = [];
const reflectors: Reflector[] = [];
async function reflect(input: ReflectorInput = {}): Promise<Reflector> {
  const reflector = await startReflector({ ...shape, ...input }, plainIo(), { onTruth: (row) => rows.push(row) });
  reflectors.push(reflector);
  return reflector;
}
afterAll(async () => {
  for (const reflector of reflectors) await reflector.stop();
});

let plain: Reflector;
let secure: Reflector;
beforeAll(async () => {
  plain = await reflect();
  secure = await reflect({ tls: {} });
  // Client and server share this thread, which compiles while it does something for the first time: its server would be late.
  await inferJson([plain.url, ...quick]);
});
const trust = () => ({ files: { 'ca.pem': secure.certificate ?? '' } });
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 5 });
const kinds = (requests: readonly InferenceRequest[]) => requests.map((r) => r.outcome.kind);
const all = <T>(n: number, value: T) => Array.from({ length: n }, () => value);

describe('inferpath infer --json', () => {
  test.each(['openai-chat', 'openai-responses', 'anthropic', 'ollama', 'tgi'])(
    '--dialect %s: one document of the published schema; ids join the truth; server time lies in the bounds',
    async (dialect) => {
      const { code, report, stderr } = await inferJson([plain.url, ...quick, '--dialect', dialect]);
      expect({ code, stderr, kinds: kinds(report.requests) }).toEqual({
        code: 0,
        stderr: '',
        kinds: all(3, 'answered'),
      });
      expectSplitsHold(report.requests);
      for (const request of report.requests) {
        const truth = rows.find((row) => row.requestId === request.id);
        // The reflector knows two dialects of Ollama.
        expect(truth).toMatchObject({ dialect: expect.stringContaining(dialect), tokens: 6 });
        expect(request).toMatchObject({ dialect, tokens: { output: 6 }, status: 200, httpVersion: '1.1' });
        expect(request.gaps).toHaveLength(request.tokens.events - 1);
        const trueMs = (truth?.firstTokenMs ?? 0) - (truth?.requestReadMs ?? 0);
        // The bounds themselves are tested over many in the lab; here only that they speak of the same thing.
        const [low = 0, high = 0] = request.split.ttft?.serverMs ?? [];
        expect(trueMs).toBeGreaterThan(low - 20);
        expect(trueMs).toBeLessThan(high + 20);
      }
    },
  );

  test('times that the server reports are the strongest evidence', async () => {
    const telling = await reflect({ serverTimes: 'headers' });
    const { report } = await inferJson([telling.url, ...quick]);
    expect(report.requests.map((r) => r.split.ttft?.evidence)).toEqual(all(3, 'server-reported'));
    expect(report.requests[0]?.server.reported[0]).toMatchObject({ valueMs: expect.any(Number) });
    expectSplitsHold(report.requests);
  });

  test('the class gives prompt, answer and stall limit; flags win', async () => {
    const { report } = await inferJson([plain.url, '--class', 'finance', '--requests', '1']);
    expect(report).toMatchObject({ class: 'finance', requests: [{ upload: { bytes: expect.any(Number) } }] });
    const small = await inferJson([plain.url, '--class', 'finance', '-n', '1', '--prompt-tokens', '10']);
    expect(small.report.requests[0]?.upload.bytes).toBeLessThan((report.requests[0]?.upload.bytes ?? 0) / 2);
    expect(small.report.requests[0]?.stallThresholdMs).toBe(report.requests[0]?.stallThresholdMs);
  });

  test('a stall of the server is blamed on the server', async () => {
    const stalling = await reflect({ stall: '0.3:150', seed: 3, tokens: 20 });
    const { report } = await inferJson([stalling.url, '--prompt-tokens', '20', '-n', '3', '--max-tokens', '20']);
    const stalls = report.requests.flatMap((r) => r.stalls);
    expect(stalls.length).toBeGreaterThan(3);
    expect(new Set(stalls.map((s) => s.cause))).not.toContain('network');
    expect(stalls.filter((s) => s.cause === 'server').length).toBeGreaterThan(stalls.length / 2);
  });
});

describe('connections', () => {
  test('are kept for the next request, and --fresh makes a new one for each', async () => {
    const kept = await inferJson([plain.url, ...quick]);
    expect(kept.report.requests.map((r) => r.reused)).toEqual([false, true, true]);
    expect(new Set(kept.report.requests.map((r) => r.connectionId)).size).toBe(1);
    expect(kept.report.requests.map((r) => r.phases.tcpMs === null)).toEqual([false, true, true]);
    for (const flag of ['--fresh', '--no-reuse']) {
      const fresh = await inferJson([plain.url, ...quick, flag]);
      expect(fresh.report.requests.map((r) => r.reused)).toEqual([false, false, false]);
      expect(new Set(fresh.report.requests.map((r) => r.connectionId)).size).toBe(3);
    }
  });

  test('--concurrency keeps so many in flight, on as many connections', async () => {
    const { report } = await inferJson([plain.url, ...small, '--requests', '12', '--concurrency', '4']);
    expect(kinds(report.requests)).toEqual(all(12, 'answered'));
    expect(new Set(report.requests.map((r) => r.connectionId)).size).toBe(4);
  });

  test('--rate sends on schedule, whatever the answers do, and reports the lag of the schedule', async () => {
    const slow = await reflect({ queueMs: 400 });
    const beganMs = performance.now();
    const { report } = await inferJson([slow.url, ...small, '--requests', '20', '--rate', '40']);
    // One after the other would be 8 s at least.
    expect(performance.now() - beganMs).toBeLessThan(6000);
    expect(kinds(report.requests)).toEqual(all(20, 'answered'));
    for (const { phases } of report.requests) expect(phases.scheduleLagMs).toBeGreaterThanOrEqual(0);
    const lags = report.requests.map((r) => r.phases.scheduleLagMs);
    expect(report.summary.client.scheduleLagP99Ms).toBeLessThanOrEqual(Math.max(...lags));
    const ids = new Set(report.requests.map((r) => r.id));
    const starts = rows.filter((row) => ids.has(row.requestId)).map((row) => row.requestHeadMs);
    // 19 intervals of 25 ms, by the clock of the server.
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(400);
  });

  test('--rate beyond --concurrency is schedule lag, counted from the intended start', async () => {
    const slow = await reflect({ queueMs: 100 });
    const schedule = ['--requests', '6', '--rate', '100', '--concurrency', '1'];
    const { report } = await inferJson([slow.url, ...small, ...schedule]);
    const lags = report.requests.map((r) => r.phases.scheduleLagMs);
    expect(lags.at(-1)).toBeGreaterThan(300);
    expect(report.summary.client.bottleneck).toBe(true);
  });

  test('--resolve takes the address of a name from the user, --family from the resolver', async () => {
    const url = `http://api.example:${plain.port}`;
    const given = await inferJson([url, ...quick, '--resolve', `api.example:${plain.port}:127.0.0.1`]);
    expect(given.report.requests[0]).toMatchObject({ address: `127.0.0.1:${plain.port}`, phases: { dnsMs: null } });
    const hosts = { 'api.example': [{ address: '127.0.0.1', family: 4 as const }] };
    const asked = await inferJson([url, ...quick, '--family', '4'], { hosts });
    expect(asked.report.requests[0]).toMatchObject({
      outcome: { kind: 'answered' },
      phases: { dnsMs: expect.any(Number) },
    });
    const other = await inferJson([url, ...quick, '--family', '6'], { hosts });
    expect(other.code).toBe(3);
    expect(other.report.requests[0]?.outcome).toMatchObject({ kind: 'failed', phase: 'dns' });
  });

  test('works over IPv6', async () => {
    const six = await reflect({ listen: '[::1]:0' });
    const { code, report } = await inferJson([six.url, ...quick, '--family', '6']);
    expect(code).toBe(0);
    expect(report.requests[0]).toMatchObject({ address: `[::1]:${six.port}`, outcome: { kind: 'answered' } });
    expectSplitsHold(report.requests);
    const refused = await inferJson([six.url, ...quick, '--family', '4']);
    expect(refused.report.requests[0]?.outcome).toMatchObject({ kind: 'failed', errno: 'EADDRNOTAVAIL' });
  });

  test('--http2: streams share one connection, and the output says so', async () => {
    const args = [secure.url, ...small, '--requests', '8', '--concurrency', '4', '--ca', 'ca.pem'];
    const { report } = await inferJson([...args, '--http2'], trust());
    expect(kinds(report.requests)).toEqual(all(8, 'answered'));
    expect(new Set(report.requests.map((r) => r.httpVersion))).toEqual(new Set(['2']));
    expect(new Set(report.requests.map((r) => r.connectionId)).size).toBe(1);
    expect(report.requests.filter((r) => r.sharedConnection).length).toBeGreaterThan(4);
    expect(report.requests[0]?.tls?.alpn).toBe('h2');
    expect(report.notes.join('\n')).toContain('streams share one connection');
    expectSplitsHold(report.requests);
    const one = await inferJson(args, trust());
    expect(one.report.requests[0]).toMatchObject({
      httpVersion: '1.1',
      sharedConnection: false,
      tls: { alpn: 'http/1.1' },
    });
  });
});

describe('headers and keys', () => {
  test('--header and --auth-env arrive, and the key is nowhere in what is printed', async () => {
    await using server = await chatServer();
    const env = { MY_KEY: 'sk-very-secret' };
    const args = [server.url, ...quick, '--auth-env', 'MY_KEY', '--header', 'X-Team: net', '--header', 'x-b:c:d'];
    const json = await inferJson(args, { env });
    expect(json.code).toBe(0);
    const text = await cli(['infer', ...args], { env, ...tty });
    expect(json.stdout + json.stderr + text.stdout + text.stderr).not.toContain('very-secret');
    const posts = server.seen.filter((s) => s.method === 'POST');
    expect(posts).toHaveLength(6);
    for (const { headers } of posts)
      expect(headers).toMatchObject({ authorization: 'Bearer sk-very-secret', 'x-team': 'net', 'x-b': 'c:d' });
    expect(posts.map((p) => p.headers['x-request-id'])).toEqual(
      expect.arrayContaining(json.report.requests.map((r) => r.id)),
    );
  });

  test('--no-floor sends nothing but the requests', async () => {
    await using server = await chatServer();
    await inferJson([server.url, ...quick, '--no-floor']);
    expect(server.seen.map((s) => s.method)).toEqual(all(3, 'POST'));
  });

  test('a key that the server repeats in its error is not printed', async () => {
    await using server = await chatServer('Wrong key: {key}.');
    const { code, stdout, report } = await inferJson([server.url, ...quick, '--auth-env', 'K'], {
      env: { K: 'sk-very-secret' },
    });
    expect(code).toBe(3);
    expect(report.requests[0]?.outcome).toMatchObject({ kind: 'rejected', status: 401 });
    expect(stdout).toContain('Wrong key: Bearer (the API key).');
    expect(stdout).not.toContain('very-secret');
  });

  test('a variable that is not set is a usage mistake', async () => {
    const { code, stderr } = await cli(['infer', plain.url, '--auth-env', 'MISSING']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'inferpath infer: --auth-env: the environment variable MISSING is not set\n',
    });
  });
});

describe('TLS', () => {
  test('a self-signed certificate is refused and nothing is sent, until --insecure or --ca', async () => {
    const before = secure.stats().requests;
    const refused = await inferJson([secure.url, ...quick]);
    expect(refused.code).toBe(3);
    expect(refused.report.requests[0]?.outcome).toMatchObject({ kind: 'failed', phase: 'tls' });
    expect(secure.stats().requests).toBe(before);

    const blind = await inferJson([secure.url, ...quick, '--insecure']);
    expect(blind.code).toBe(0);
    expect(blind.report.notes.join()).toContain('not verified');
    expect(blind.report.requests[0]?.tls).toMatchObject({ authorized: false, version: 'TLSv1.3' });

    const trusted = await inferJson([secure.url, ...quick, '--ca', 'ca.pem'], trust());
    expect(trusted.report.requests[0]?.tls).toMatchObject({ authorized: true, authorizationError: null });
    expect(trusted.report.requests[0]?.phases.tlsMs).toBeGreaterThan(0);
    expectSplitsHold(trusted.report.requests);
  });

  describe('of both sides', () => {
    let mine: KeyedCertificate;
    let strict: Reflector;
    beforeAll(async () => {
      mine = selfSignedCertificate(['client'], Date.now());
      strict = await reflect({ tls: { clientCa: mine.cert } });
    });
    const files = () => ({ 'ca.pem': strict.certificate ?? '', 'me.pem': mine.cert, 'me.key': mine.key });

    test('--client-cert and --client-key are shown to the server', async () => {
      const args = [strict.url, ...quick, '--ca', 'ca.pem', '--client-cert', 'me.pem', '--client-key', 'me.key'];
      expect(await inferJson(args, { files: files() })).toMatchObject({ code: 0 });
    });

    test('without them the server refuses', async () => {
      const { code, report } = await inferJson([strict.url, ...quick, '--ca', 'ca.pem'], { files: files() });
      expect(code).toBe(3);
      expect(kinds(report.requests)).not.toContain('answered');
    });

    test.each([
      [['--client-cert', 'me.pem'], '--client-key: found nothing; allowed: a file, since --client-cert is given'],
      [['--client-key', 'me.key'], '--client-cert: found nothing; allowed: a file, since --client-key is given'],
      [['--ca', 'none.pem'], '--ca: cannot read none.pem: ENOENT'],
      [['--ca', 'text'], '--ca: found no PEM block in text'],
      [
        ['--client-cert', 'me.pem', '--client-key', 'bad.key'],
        '--client-cert, --client-key: found what TLS cannot use: ',
      ],
    ])('%j is a usage mistake', async (flags, words) => {
      const bad = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
      const ran = await cli(['infer', strict.url, ...flags], { files: { ...files(), text: 'no', 'bad.key': bad } });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toContain(`inferpath infer: ${words}`);
    });
  });
});

describe('--proxy', () => {
  test('http goes through it with an absolute target; round trips end there, and the output says so', async () => {
    await using server = await chatServer();
    await using proxy = await httpProxy();
    const { code, report } = await inferJson([server.url, ...quick, '--proxy', proxy.url]);
    expect(code).toBe(0);
    expect(proxy.seen.filter((s) => s.method === 'POST')).toHaveLength(3);
    expect(proxy.seen.at(-1)?.target).toBe(`${server.url}/v1/chat/completions`);
    expect(report.requests[0]?.address).toBe(`127.0.0.1:${proxy.port}`);
    expect(report.notes.join('\n')).toContain(`through the proxy 127.0.0.1:${proxy.port}`);
    expectSplitsHold(report.requests);
  });

  test('https goes through a tunnel, with its own credentials for the proxy', async () => {
    await using proxy = await httpProxy();
    const url = proxy.url.replace('//', '//me:pass%21@');
    const { code, report, stdout } = await inferJson([secure.url, ...quick, '--ca', 'ca.pem', '--proxy', url], trust());
    expect(code).toBe(0);
    expect(proxy.seen[0]).toMatchObject({ method: 'CONNECT', target: `127.0.0.1:${secure.port}` });
    expect(proxy.seen[0]?.headers['proxy-authorization']).toBe(`Basic ${Buffer.from('me:pass!').toString('base64')}`);
    expect(report.requests[0]?.phases.proxyMs).toBeGreaterThan(0);
    expect(report.requests[0]?.tls?.authorized).toBe(true);
    expect(stdout).not.toMatch(/pass(!|%21)/);
    expectSplitsHold(report.requests);
  });

  test('an IPv6 target in the tunnel keeps its brackets', async () => {
    const six = await reflect({ listen: '[::1]:0', tls: {} });
    await using proxy = await httpProxy();
    const { code } = await inferJson([six.url, ...quick, '--insecure', '--proxy', proxy.url]);
    expect(code).toBe(0);
    expect(proxy.seen[0]?.target).toBe(`[::1]:${six.port}`);
  });

  test('one in the environment is noticed, told, and not used', async () => {
    await using proxy = await httpProxy();
    const { report } = await inferJson([plain.url, ...quick], { env: { HTTP_PROXY: proxy.url } });
    expect(kinds(report.requests)).toEqual(all(3, 'answered'));
    expect(proxy.seen).toEqual([]);
    expect(report.notes).toContain('HTTP_PROXY is set but not used: give --proxy to go through it');
  });

  test('one that refuses is a failed phase of its own', async () => {
    const { code, report } = await inferJson([secure.url, ...quick, '--insecure', '--proxy', plain.url]);
    expect(code).toBe(3);
    expect(report.requests[0]?.outcome).toMatchObject({ kind: 'failed', phase: 'proxy' });
  });
});

describe('without Linux', () => {
  test('stamps are those of user code, the grade is lower, and that is said once', async () => {
    const { report } = await inferJson([plain.url, ...quick], { platform: 'darwin' });
    expect(kinds(report.requests)).toEqual(all(3, 'answered'));
    expect(report.requests.map((r) => r.stamps)).toEqual(all(3, 'user'));
    expect(report.summary.evidence.kernel).toBe(0);
    expect(report.requests[0]?.tcp.info).toEqual([]);
    expectSplitsHold(report.requests);
    const { stdout } = await cli(['infer', plain.url, ...quick], { platform: 'darwin', columns: 400 });
    expect(stdout.match(/user-level receive times/g)).toHaveLength(1);
    expect(stdout).toContain('no kernel stamps on darwin');
  });

  test('TLS, HTTP/2 and a proxy work there, too', async () => {
    await using proxy = await httpProxy();
    const args = [secure.url, ...quick, '--ca', 'ca.pem', '--http2', '--proxy', proxy.url];
    const { code, report } = await inferJson(args, { ...trust(), platform: 'win32' });
    expect(code).toBe(0);
    expect(report.requests[0]).toMatchObject({ httpVersion: '2', stamps: 'user' });
    expectSplitsHold(report.requests);
  });
});

describe('exit codes', () => {
  test('0 when all were answered, 1 when some were not, 3 when none was', async () => {
    expect((await cli(['infer', plain.url, ...quick])).code).toBe(0);
    const dying = await reflect();
    const few = inferJson([dying.url, ...small, '--requests', '40', '--timeout', '5']);
    await until(() => dying.stats().requests > 8);
    await dying.stop();
    const some = await few;
    expect(some.code).toBe(1);
    expect(some.report.summary.answered).toBeGreaterThan(0);
    expect(some.report.summary.answered).toBeLessThan(40);
    expect((await cli(['infer', dying.url, ...quick])).code).toBe(3);
  });

  test('2 for what cannot be asked', async () => {
    expect((await cli(['infer', 'ftp://host'])).code).toBe(2);
    expect((await cli(['infer', plain.url, '--requests', '0'])).code).toBe(2);
  });

  test('130 when interrupted, with what there is', async () => {
    const slow = await reflect({ tokenMs: 100 });
    const env = { NO_COLOR: '1' };
    const running = startCli(['infer', slow.url, '--requests', '1000', '--max-tokens', '3', '--json'], { env });
    // The first of three tokens of the fourth request: 200 ms before its end.
    await until(() => slow.stats().tokens > 9);
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    const report = JSON.parse(stdout) as { interrupted: boolean; requests: InferenceRequest[] };
    expect(report.interrupted).toBe(true);
    expect(kinds(report.requests).filter((k) => k === 'answered').length).toBeGreaterThanOrEqual(2);
    expect(kinds(report.requests).filter((k) => k !== 'answered')).toEqual(['interrupted']);
    expectSplitsHold(report.requests.filter((r) => r.outcome.kind === 'answered'));
  });
});

describe('on a terminal and off', () => {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  const escapes = /\u001b/;

  test('piped: no colour and no progress, unless FORCE_COLOR asks for colour', async () => {
    const args = ['infer', plain.url, ...quick];
    const [bare, forced] = await Promise.all([
      startCli(args).ended,
      startCli(args, { env: { FORCE_COLOR: '1' } }).ended,
    ]);
    expect(bare).toMatchObject({ code: 0, stderr: '' });
    expect(bare.stdout).not.toMatch(escapes);
    expect(forced.stdout).toMatch(escapes);
  });

  test('progress is one line on stderr, never wider than the terminal, and is gone at the end', async () => {
    const { stdout, stderr } = await cli(['infer', plain.url, ...quick], { ...tty, columns: 40 });
    expect(stderr).toContain('requests, ');
    expect(stderr).not.toContain('\n');
    for (const line of stderr.split('\r\u001b[2K')) expect([...line].length).toBeLessThan(40);
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true);
    expect(stdout).not.toMatch(/[\r]/);
  });

  test('the report fits the width it is given', async () => {
    for (const columns of [60, 80, 120]) {
      const { stdout } = await cli(['infer', plain.url, ...quick], { columns });
      for (const line of stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(columns);
      expect(stdout).toContain('to first token');
    }
  });
});

describe('joined with the log of the server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-truth-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('every x-request-id of the output stands in the truth file', async () => {
    const truthFile = join(folder, 'truth.jsonl');
    const telling = await reflect({ truthFile });
    const { report } = await inferJson([telling.url, ...quick]);
    await telling.stop();
    const lines = readFileSync(truthFile, 'utf8').trim().split('\n');
    const logged = lines.map((line) => (JSON.parse(line) as TruthRow).requestId);
    expect(logged.toSorted()).toEqual(report.requests.map((r) => r.id).toSorted());
    expect(report.requests.map((r) => r.server.requestId)).toEqual(report.requests.map((r) => r.id));
  });
});
