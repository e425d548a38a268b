import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { cli, published } from '../../../test/fixtures/cli.ts';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import type { PingReport } from '../../model/ping-report.ts';
import { exitCode } from '../command.ts';

const linux = process.platform === 'linux';

async function pingJson(...args: string[]): Promise<{ code: number; report: PingReport }> {
  const { code, stdout, stderr } = await cli(['ping', ...args, '--json']);
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/s);
  return { code, report: published('ping', stdout) as PingReport };
}

describe.runIf(linux)('inferpath ping', () => {
  test('measures loopback over both families, with an error of its own for every target', async () => {
    const { code, report } = await pingJson('127.0.0.1', '127.0.0.9', '-c', '4', '-i', '0.02');
    expect(code).toBe(exitCode.ready);
    expect(report.summary).toMatchObject({ targets: 2, answering: 2, sent: 8, answered: 8, lost: 0 });
    for (const target of report.targets) {
      expect(target.outcome.kind).toMatch(/answered|refused/);
      expect(target.rttsMs).toHaveLength(4);
      expect(target.rtt?.count).toBe(3);
      expect(target.firstMs).toBeGreaterThan(0);
      expect(target.errorMs).toBeGreaterThan(0);
    }
    expect(report.client).toMatchObject({ ownDrops: 0, clockStepMs: 0 });
  });

  test('a closed port answers by ICMP, and that is a round trip', async () => {
    const { code, report } = await pingJson('127.0.0.1', '--method', 'udp', '-c', '3', '-i', '0.02');
    expect(code).toBe(exitCode.ready);
    expect(report.targets[0]).toMatchObject({ outcome: { kind: 'refused', address: '127.0.0.1' }, answered: 3 });
    expect(report.method).toBe('udp');
  });

  test.each(['tcp-connect', 'tcp-syn'] as const)(
    '%s goes to the real port; a reset is a round trip, too',
    async (method) => {
      if (method === 'tcp-syn' && process.getuid?.() !== 0) return;
      const server = createServer((socket) => socket.end());
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      const { code, report } = await pingJson(
        `127.0.0.1:${port}`,
        '127.0.0.1:9',
        '--method',
        method,
        '-c',
        '3',
        '-i',
        '0.02',
      );
      server.close();
      expect(code).toBe(exitCode.ready);
      expect(report.method).toBe(method);
      expect(report.targets.map((t) => [t.outcome.kind, t.answered])).toEqual([
        ['answered', 3],
        ['refused', 3],
      ]);
      expect(report.targets[0]!.errorMs).toBeGreaterThan(0);
    },
  );

  test('tls times the first octet that answers a ClientHello, and only TLS counts as an answer', async () => {
    const { key, cert } = selfSignedCertificate(['tls.example'], Date.now());
    const names = new Set<string>();
    const SNICallback = (name: string, done: (error: null) => void) => (names.add(name), done(null));
    const behaviours: Record<string, (socket: Socket) => void> = {
      wrong: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      silent: () => undefined,
      closing: (socket) => socket.end(),
      resetting: (socket) => socket.resetAndDestroy(),
      piecemeal: (socket) => {
        socket.write(Buffer.from([0x15]));
        setTimeout(() => socket.end(Buffer.from([3, 3, 0, 2, 2, 70])), 200);
      },
    };
    const servers: Server[] = [
      createTlsServer({ key, cert, SNICallback }),
      createTlsServer({ key, cert, maxVersion: 'TLSv1.2' }),
      ...Object.values(behaviours).map((behave) =>
        createServer((socket) => {
          socket.on('error', () => undefined);
          socket.once('data', () => behave(socket));
        }),
      ),
    ];
    const ports: number[] = [];
    for (const server of servers) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      ports.push((server.address() as AddressInfo).port);
    }
    const targets = ports.map((port) => `tls.example:${port}`);
    const paced = ['--method', 'tls', '-c', '3', '-i', '0.1', '--json'];
    const hosts = { 'tls.example': [{ address: '127.0.0.1', family: 4 as const }] };
    const { code, stdout } = await cli(['ping', ...targets, ...paced], { hosts });
    const report = published('ping', stdout) as PingReport;
    for (const server of servers) server.close();
    expect(code).toBe(exitCode.notReady);
    expect(report.how).toContain("the server's own time");
    expect(report.targets.map((t) => [t.outcome.kind, t.sent, t.answered, t.failed, t.lost])).toEqual([
      ['answered', 3, 3, 0, 0],
      ['answered', 3, 3, 0, 0],
      ['failed', 3, 0, 3, 0],
      ['lost', 3, 0, 0, 3],
      ['failed', 3, 0, 3, 0],
      ['failed', 3, 0, 3, 0],
      ['answered', 3, 3, 0, 0],
    ]);
    const errnos = report.targets.map(({ outcome }) => (outcome.kind === 'failed' ? outcome.errno : ''));
    expect(errnos).toEqual(['', '', 'EPROTO', '', 'ENODATA', 'ECONNRESET', '']);
    expect([...names]).toEqual(['tls.example']);
    // To the first octet, not to the record that its other octets complete 200 ms later.
    expect(report.targets[6]!.rtt!.minMs).toBeLessThan(200);
    expect(report.targets[0]!.errorMs).toBeGreaterThan(0);
  });

  test('an answer from another address is told as that, with the address, and is no loss', async () => {
    const [asked, other] = [createSocket('udp4'), createSocket('udp4')];
    asked.bind(0, '127.0.0.1');
    other.bind(0, '127.0.0.2');
    await Promise.all([once(asked, 'listening'), once(other, 'listening')]);
    asked.on('message', (payload, from) => other.send(payload, from.port, from.address));
    const { code, report } = await pingJson(
      `127.0.0.1:${asked.address().port}`,
      '--method',
      'udp',
      '-c',
      '3',
      '-i',
      '0.02',
    );
    asked.close();
    other.close();
    expect(code).toBe(exitCode.couldNotMeasure);
    expect(report.targets[0]).toMatchObject({
      outcome: { kind: 'otherAddress', address: '127.0.0.2' },
      sent: 3,
      answered: 0,
      otherAddress: 3,
      lost: 0,
      loss: { share: 0 },
    });
  });

  test('thousands of targets from a file, as fast as it goes, without a drop of our own', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `127.1.${i >> 8}.${i & 255}`);
    const { code, stdout } = await cli(['ping', '--file', 'hosts', '-c', '1', '--rate', 'max', '--json'], {
      files: { hosts: `# all of them\n${lines.join('\n')}\n` },
    });
    const report = published('ping', stdout) as PingReport;
    expect(code).toBe(exitCode.ready);
    expect(report.summary).toMatchObject({ targets: 5000, answering: 5000, answered: 5000 });
    expect(report.client.ownDrops).toBe(0);
  });

  test('so many targets that two threads share them: every one is there, once, and answers', async () => {
    const file = Array.from({ length: 24_001 }, (_, i) => `127.9.${i >> 8}.${i & 255}`).join('\n');
    const { code, stdout } = await cli(['ping', '--file', 'many', '-c', '1', '--rate', 'max', '--json'], {
      files: { many: file },
    });
    const report = published('ping', stdout) as PingReport;
    expect(code).toBe(exitCode.ready);
    expect(report.summary).toMatchObject({ sent: 24_001, answered: 24_001, answering: 24_001, duplicates: 0, lost: 0 });
    expect(report.targets.map((t) => t.address).join('\n')).toBe(file);
    expect(report.client.calibration.packets).toBeGreaterThan(0);
  });

  test('a name without an address is an outcome of its own and does not stop the others', async () => {
    const { code, stdout } = await cli(['ping', 'nowhere.example', 'here.example', '-c', '2', '-i', '0.01'], {
      hosts: { 'here.example': [{ address: '127.0.0.1', family: 4 }] },
    });
    expect(code).toBe(exitCode.notReady);
    expect(stdout).toMatch(/^nowhere\.example +0 +– +getaddrinfo/m);
    expect(stdout).toMatch(/^here\.example +2 +0 %/m);
  });

  test('Ctrl-C prints what there is until then and exits 130', async () => {
    const { fakeIo } = await import('../../../test/fakes/io.ts');
    const { runCli } = await import('../run.ts');
    const io = fakeIo({ realClock: true });
    const done = runCli(['ping', '127.0.0.1', '--duration', '60', '-i', '0.01', '--json'], io);
    setTimeout(() => io.interrupt(), 3000);
    expect(await done).toBe(exitCode.interrupted);
    const report = published('ping', io.stdout()) as PingReport;
    expect(report.interrupted).toBe(true);
    expect(report.summary.answered).toBeGreaterThan(0);
    expect(report.summary.sent).toBeLessThan(6000);
  });

  test('--openmetrics prints metrics and nothing else', async () => {
    const { code, stdout } = await cli(['ping', '127.0.0.1', '-c', '2', '-i', '0.01', '--openmetrics']);
    expect(code).toBe(exitCode.ready);
    expect(stdout).toContain('inferpath_probes_sent_total{target="127.0.0.1",address="127.0.0.1",');
    expect(stdout.endsWith('# EOF\n')).toBe(true);
  });
});

describe('inferpath ping, mistakes', () => {
  test.each([
    [['ping'], /<target>: is required/],
    [['ping', 'a', '--count', '0'], /--count/],
    [['ping', 'a b'], /"a b" is no target/],
    [['ping', 'a', '--json', '--openmetrics'], /--openmetrics: cannot go with --json/],
    [['ping', 'a', '--count', '1', '--duration', '1'], /--duration: cannot go with --count/],
    [['ping', '127.0.0.1', '--count', '10000000', '--file', 'many'], /more than 2 GiB/],
    [['ping', '--file', 'missing'], /--file: cannot read "missing": ENOENT/],
    [['ping', '--file', 'bad'], /bad:2: "300\.0\.0\.1" is no target[^]*bad:3: "x:0" has port 0/],
  ])('%j', async (args, words) => {
    const many = Array.from({ length: 400 }, (_, i) => `127.0.${i >> 8}.${i & 255}`).join('\n');
    const { code, stderr, stdout } = await cli(args, { files: { bad: 'a\n300.0.0.1\nx:0\n', many } });
    expect(stderr).toMatch(words);
    expect([code, stdout]).toEqual([exitCode.usage, '']);
  });

  test('says on another platform that it cannot, and exits 3', async () => {
    const { code, stderr } = await cli(['ping', '127.0.0.1'], { platform: 'darwin' });
    expect(code).toBe(exitCode.couldNotMeasure);
    expect(stderr).toMatch(/Linux only, this is darwin/);
  });
});
