import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { issueServerCertificate, makeAuthority } from '../pki/authority.ts';
import { addressPolicy, allowedFrom } from './address-policy.ts';
import { type Listener, listener } from './deliver.case.ts';
import { createDialer, type DialerOptions, UrlRefused } from './dialer.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((it) => it.close()))));
const listening = async (...parts: Parameters<typeof listener>): Promise<Listener> => {
  const it = await listener(...parts);
  open.push(it);
  return it;
};
const never = new AbortController().signal;
const hello = { headers: {}, body: '{}' };

function dialer(options: Partial<DialerOptions> & { hosts?: Record<string, string[]> } = {}) {
  const { hosts = {}, ...rest } = options;
  const entries = Object.entries(hosts).map(([host, all]) => [
    host,
    all.map((address) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) })),
  ]);
  const io = fakeIo({ hosts: Object.fromEntries(entries) as never, realClock: true });
  return createDialer({ dns: io.dns, clock: io.clock, allow: [], ...rest });
}
const post = (url: string, options?: Parameters<typeof dialer>[0]) => dialer(options).post(new URL(url), hello, never);

describe('where alerts may go', () => {
  const hosts = {
    'metadata.google.internal': ['169.254.169.254'],
    'metadata.google.internal.': ['169.254.169.254'],
    '127.0.0.1.nip.io': ['127.0.0.1'],
    '10.0.0.1.sslip.io': ['10.0.0.1'],
    'xn--80ak6aa92e.example': ['192.168.1.1'],
    'both.example': ['93.184.216.34', '10.1.2.3'],
    'six.example': ['fd00::1'],
    'mapped.example': ['::ffff:10.0.0.1'],
    'nat64.example': ['64:ff9b::a9fe:a9fe'],
    localhost: ['127.0.0.1', '::1'],
  };
  const corpus = [
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:169.254.169.254]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[fc00::1]',
    '[ff02::1]',
    '169.254.169.254',
    '169.254.170.2',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '0xa9fea9fe',
    '2852039166',
    ...Object.keys(hosts),
  ];

  test.each(corpus)('https://%s is refused, and nothing is connected to', async (host) => {
    // Port 9 of this machine has no listener: a connection would be told by another message.
    const error = await post(`https://${host}:9/`, { hosts }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toMatch(
      /is (not public|link-local|this host|multicast|reserved|the metadata|the host agent|no address)|leads to|no address/,
    );
    expect(String(error)).not.toMatch(/ECONNREFUSED|ENOTFOUND/);
  });

  test('link-local and metadata addresses are refused even to an operator who allows everything', async () => {
    const all = { hosts, allow: ['0.0.0.0/0', '::/0'] };
    for (const host of [
      '169.254.169.254',
      '[fd00:ec2::254]',
      '[::ffff:169.254.169.254]',
      'nat64.example',
      '100.100.100.200',
    ])
      await expect(post(`https://${host}:9/`, all)).rejects.toThrow(/link-local|metadata/);
  });

  test('what the operator allows, and nothing beside it', () => {
    const { refusal, isNamed } = addressPolicy(['10.1.0.0/16', 'fd12::/16']);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::9']) expect(refusal(address)).toBeNull();
    for (const address of ['10.2.0.1', '127.0.0.1', '::1', 'fd13::1']) expect(refusal(address)).toMatch(/not public/);
    for (const address of ['93.184.216.34', '2606:4700::1111']) expect(refusal(address)).toBeNull();
    expect([isNamed('10.1.9.9'), isNamed('93.184.216.34')]).toEqual([true, false]);
    expect(allowedFrom({ INFERPATH_RECEIVER_ALLOW: '10.0.0.0/8, fd00::/8' })).toEqual(['10.0.0.0/8', 'fd00::/8']);
    expect(() => addressPolicy(['10.0.0.0/33'])).toThrow(RangeError);
  });

  test('a user in the URL, other schemes, and plain text to the Internet are refused for good', async () => {
    for (const url of [
      'https://good.example@10.0.0.1/',
      'https://:p@10.0.0.1/',
      'ftp://10.0.0.1/',
      'file:///etc/passwd',
    ])
      await expect(post(url, { allow: ['10.0.0.0/8'] })).rejects.toThrow(UrlRefused);
    await expect(post('http://public.example/', { hosts: { 'public.example': ['93.184.216.34'] } })).rejects.toThrow(
      UrlRefused,
    );
  });

  test('a name is looked up once, and the connection goes to what was checked: a second answer has nothing to gain', async () => {
    const authority = makeAuthority(Date.now());
    const issued = issueServerCertificate(authority, ['hook.example'], Date.now());
    const it = await listening((response) => response.end(), { cert: issued.certificate, key: issued.key });
    let asked = 0;
    const dns = {
      // The first answer is the listener's; every later one leads elsewhere, where nobody is.
      lookup: () => Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '127.9.9.9', family: 4 as const }]),
    };
    const url = `https://hook.example:${it.port}/a?b=c`;
    const reply = await post(url, { dns, allow: ['127.0.0.0/8'], authorities: authority.certificate });
    expect(reply.status).toBe(200);
    expect(asked).toBe(1);
    const [heard] = it.heard;
    expect(heard).toMatchObject({ path: '/a?b=c', sni: 'hook.example' });
    expect(heard!.headers.host).toBe(`hook.example:${it.port}`);
  });

  test('the certificate has to be for the name, and from an authority that is trusted', async () => {
    const authority = makeAuthority(Date.now());
    const issued = issueServerCertificate(authority, ['hook.example'], Date.now());
    const it = await listening((response) => response.end(), { cert: issued.certificate, key: issued.key });
    const hosts = { 'hook.example': ['127.0.0.1'], 'evil.example': ['127.0.0.1'] };
    const given = { hosts, allow: ['127.0.0.0/8'] };
    await expect(post(`https://hook.example:${it.port}/`, given)).rejects.toThrow(/certificate/);
    const trusting = { ...given, authorities: authority.certificate };
    await expect(post(`https://evil.example:${it.port}/`, trusting)).rejects.toThrow(/altnames/);
    expect(it.heard).toEqual([]);
  });
});

describe('what a receiver may do to us', () => {
  const allow = ['127.0.0.0/8'];

  test('redirects are answers, never followed', async () => {
    const target = await listening((response) => response.end());
    const it = await listening((response) => response.writeHead(307, { location: target.url }).end());
    expect(await post(it.url, { allow })).toMatchObject({ status: 307, location: true });
    expect(target.heard).toEqual([]);
  });

  test('of ten megabytes 64 KiB are read, and then the connection is closed', async () => {
    let written = 0;
    let isClosed: () => void;
    const closed = new Promise<void>((done) => (isClosed = done));
    const it = await listening((response) => {
      const more = () => {
        while (!response.destroyed && written < 10e6 && response.write('x'.repeat(16_384))) written += 16_384;
      };
      response.on('drain', more);
      response.on('close', isClosed);
      more();
    });
    const reply = await post(it.url, { allow });
    expect(reply.excerpt).toHaveLength(65_536);
    await closed;
    expect(written).toBeLessThan(10e6);
  });

  test.each([
    ['says nothing', () => undefined],
    [
      'stops in the middle of its answer',
      (response: import('node:http').ServerResponse) => void response.writeHead(200).write('o'),
    ],
  ])('one that %s is waited for only so long', async (_, answer) => {
    const it = await listening(answer);
    await expect(post(it.url, { allow, timeoutMs: 200 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('one that resets, cuts its answer, or speaks no HTTP is an error', async () => {
    const resets = await listening((response) => response.destroy());
    await expect(post(resets.url, { allow })).rejects.toThrow(/socket hang up|ECONNRESET/);
    const cuts = await listening((response) => {
      response.writeHead(200, { 'content-length': '10' }).write('x');
      setImmediate(() => response.destroy());
    });
    await expect(post(cuts.url, { allow })).rejects.toThrow(/aborted|cut off|ECONNRESET/);
    const garbage = createServer((socket) => socket.on('error', () => undefined).end('220 mail.example ESMTP\r\n'));
    await new Promise<void>((done) => garbage.listen(0, '127.0.0.1', done));
    open.push(garbage);
    const { port } = garbage.address() as { port: number };
    await expect(post(`http://127.0.0.1:${port}`, { allow })).rejects.toThrow(/Parse Error/);
  });

  test('of several addresses the next is tried where there was no connection, and only there', async () => {
    const it = await listening((response) => response.end());
    const hosts = { 'two.example': ['127.0.0.77', '127.0.0.1'] };
    expect(await post(`http://two.example:${it.port}/`, { hosts, allow })).toMatchObject({ status: 200 });
    expect(it.heard).toHaveLength(1);
  });
});
