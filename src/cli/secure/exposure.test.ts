import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo, type FakeIoOptions } from '../../../test/fakes/io.ts';
import * as fixtures from '../../measure/exposure/fixtures.case.ts';
import { exposureReport, type ExposureReport } from '../../model/secure/exposure.ts';
import { secure } from '../commands/secure.ts';
import { runCli } from '../run.ts';

const open: fixtures.Served[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((it) => it.close()))));
async function serve(...given: Parameters<typeof fixtures.serve>): Promise<fixtures.Served> {
  const served = await fixtures.serve(...given);
  open.push(served);
  return served;
}

const fileWith = (security: string) => `version: 1\nvantage: { name: office }\nsecurity:\n${security}`;
async function run(words: string[], options: FakeIoOptions = {}) {
  const io = fakeIo({ realClock: true, ...options });
  const code = await runCli(['secure', 'exposure', ...words], io, [secure]);
  return { code, io, out: io.stdout(), err: io.stderr() };
}
async function report(words: string[], options: FakeIoOptions = {}): Promise<ExposureReport> {
  const { out } = await run([...words, '--json'], options);
  return exposureReport.parse(JSON.parse(out));
}

describe('secure exposure', () => {
  test('tells an open server at loopback, and that loopback alone does not say who reaches it', async () => {
    const { port } = await serve(fixtures.vllmKeyed);
    const { code, out } = await run([`127.0.0.1:${port}`]);
    expect(code).toBe(3);
    expect(out).toContain('vLLM 0.11.0');
    expect(out.replace(/\s+/g, ' ')).toContain(
      '/invocations, /score, /tokenize, /is_paused, /load without a key; /v1/models wants one',
    );
    expect(out).toMatch(/NOT KNOWN/);
  });

  test('passes what wants a key', async () => {
    const { port } = await serve(fixtures.jupyterToken);
    const { code, out } = await run([`127.0.0.1:${port}`]);
    expect([code, out]).toEqual([0, expect.stringMatching(/wants a key[^]*GUARDED/)]);
  });

  test('prints every request and every verdict as its schema says', async () => {
    const { port, heard } = await serve(fixtures.llamaCppKeyed);
    const { services, counts, asked, findings, vantage } = await report(
      [`127.0.0.1:${port}`, '--network', 'net.yaml'],
      {
        files: { 'net.yaml': fileWith('  ranges: [{ cidr: 10.0.0.0/8 }]\n') },
      },
    );
    expect(vantage).toBe('office');
    expect(asked).toEqual([{ range: `127.0.0.1:${port}`, addresses: 1, permittedBy: 'loopback of this machine' }]);
    expect(services).toMatchObject([
      { engine: 'llama.cpp', auth: 'enforced', publicByDesign: expect.arrayContaining(['/v1/models']) },
    ]);
    expect(counts.requests).toBe(heard.length);
    expect(findings.map(({ id, verdict }) => [id, verdict])).toEqual([['inference-open', 'pass']]);
  });

  test('a closed port is closed, and that is an answer', async () => {
    const served = await fixtures.serve(fixtures.errors);
    await served.close();
    const { code, out } = await run([`127.0.0.1:${served.port}`]);
    expect([code, out]).toEqual([0, expect.stringContaining('CLOSED')]);
  });

  test('of several targets one that may not be asked is enough: nothing is sent', async () => {
    const { port, heard } = await serve(fixtures.ollama);
    const hosts = {
      'gpu.corp': [{ address: '127.0.0.1', family: 4 as const }],
      'rebound.corp': [
        { address: '127.0.0.1', family: 4 as const },
        { address: '169.254.169.254', family: 4 as const },
      ],
    };
    const words = [
      `gpu.corp:${port}`,
      'rebound.corp',
      '10.1.0.0/24',
      '8.8.8.8',
      '169.254.169.254',
      '::ffff:127.0.0.1',
      '10.0.0.1/8',
      '0x7f000001',
      'nowhere.corp',
    ];
    const { code, err } = await run(words, { hosts });
    expect(code).toBe(2);
    expect(heard).toEqual([]);
    expect(err.split('\n').slice(1, 9).join('\n')).toMatchInlineSnapshot(`
      "inferpath secure: "0x7f000001": has no address (ENOTFOUND)
      inferpath secure: "nowhere.corp": has no address (ENOTFOUND)
      inferpath secure: "rebound.corp (169.254.169.254)": holds link-local, where clouds serve credentials (RFC 3927), which is never asked
      inferpath secure: "10.1.0.0/24": is not yours as far as known; the network file (--network) names your networks in security.ranges
      inferpath secure: "8.8.8.8": is not yours as far as known; the network file (--network) names your networks in security.ranges
      inferpath secure: "169.254.169.254": holds link-local, where clouds serve credentials (RFC 3927), which is never asked
      inferpath secure: "::ffff:127.0.0.1": holds another way to write IPv4 addresses; they are written as such, which is never asked
      hint: nothing was sent"
    `);
  });

  test('what the network file calls yours may be asked; the Internet only when it is said twice', async () => {
    const files = {
      'net.yaml': fileWith('  ranges:\n    - { cidr: 10.1.0.0/24 }\n    - { cidr: 9.9.9.8/30, public: true }\n'),
    };
    for (const [word, why] of [
      ['10.1.0.0/23', 'is larger than 10.1.0.0/24 of security.ranges'],
      ['10.2.0.1', 'lies in none of security.ranges'],
      ['9.9.9.9', 'can be reached from the Internet; --i-own-this'],
    ] as const) {
      const { code, err } = await run([word, '--network', 'net.yaml'], { files });
      expect([code, err]).toEqual([2, expect.stringContaining(why)]);
    }
  });

  test('the network file alone: its ranges, but for what is too large or public', async () => {
    const { port, heard } = await serve(fixtures.rayToken);
    const ranges = `  ranges:\n    - { cidr: 127.0.0.1/32 }\n    - { cidr: 9.9.9.8/30, public: true }\n    - { cidr: 10.0.0.0/8 }\n    - { cidr: 'fd00:1::/64' }\n`;
    const { asked, notAsked, services } = await report(['net.yaml', '--ports', String(port)], {
      files: { 'net.yaml': fileWith(ranges) },
    });
    expect(asked.map(({ range }) => range)).toEqual(['127.0.0.1/32']);
    expect(notAsked.map(({ range, why }) => `${range} ${why.slice(0, 30)}`)).toEqual([
      '9.9.9.8/30 can be reached from the Intern',
      '10.0.0.0/8 has 2^23 addresses, which with',
      'fd00:1::/64 has 2^64 addresses, which with',
    ]);
    expect(services).toHaveLength(1);
    expect(heard.length).toBeGreaterThan(0);
  });

  test('a name is asked by its name, at every address it has', async () => {
    const { port, headers } = await serve(fixtures.mlflowHostCheck);
    const hosts = { 'mlflow.corp': [{ address: '127.0.0.1', family: 4 as const }] };
    const { services } = await report([`mlflow.corp:${port}`], { hosts });
    expect(services).toMatchObject([{ host: 'mlflow.corp', address: '127.0.0.1', auth: 'none' }]);
    expect(headers[0]!.host).toBe(`mlflow.corp:${port}`);
  });

  test('Ctrl-C prints what is there and exits with 130', async () => {
    const { port } = await serve(fixtures.tgiKeyed);
    const io = fakeIo({ realClock: true });
    const done = runCli(['secure', 'exposure', '127.0.0.1', '--ports', `${port},${port + 1}`, '--pace', '2'], io, [
      secure,
    ]);
    setTimeout(() => io.interrupt(), 300);
    expect(await done).toBe(130);
    expect(io.stdout()).toMatch(/interrupted[^]*NOT KNOWN/);
  });

  test.each([
    [['127.0.0.1', '--ports', '0'], /--ports/],
    [['127.0.0.1', '--ports', '9-1'], /--ports/],
    [['127.0.0.1', '--i-own-this', 'all'], /--i-own-this/],
    [['net.yaml', '--network', 'net.yaml'], /--network/],
    [['none.yaml'], /no such file/],
    [['net.yaml'], /has no security.ranges/],
  ])('%j is a mistake that is told', async (words, says) => {
    const { code, err } = await run(words, { files: { 'net.yaml': 'version: 1\n' } });
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  });
});

describe('secure exposure --local', () => {
  const heading = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  const row = (address: string, port: number) =>
    `   0: ${address}:${hex(port)} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n`;

  test('says of every listener for whom it waits, asks only those, and calls open what others reach', async () => {
    const [wide, narrow] = [await serve(fixtures.ollama), await serve(fixtures.ollama)];
    const { port: silent } = await serve(fixtures.ollama);
    const files = { '/proc/net/tcp': heading + row('00000000', wide.port) + row('0100007F', narrow.port) };
    const { listeners, findings, services, asked } = await report(['--local'], { files });
    const reaches = new Map(listeners!.map(({ port, reach }) => [port, reach]));
    expect([reaches.size, reaches.get(wide.port), reaches.get(narrow.port)]).toEqual([2, 'everywhere', 'loopback']);
    expect(asked).toEqual([{ range: '127.0.0.1', addresses: 1, permittedBy: '2 sockets of this machine' }]);
    expect(services.map(({ port }) => port)).not.toContain(silent);
    const verdictAt = (port: number) =>
      findings.filter(({ subject }) => subject.endsWith(`:${port}`)).map(({ id, verdict }) => `${id} ${verdict}`);
    expect(verdictAt(wide.port)).toEqual(['inference-open fail', 'inference-plaintext fail']);
    expect(verdictAt(narrow.port)).toEqual(['inference-open pass']);
  });

  test('without /proc, and without any target, it says what is missing', async () => {
    expect((await run(['--local'])).err).toContain('/proc/net/tcp');
    expect((await run([])).err).toContain('<target>: is required');
  });
});
