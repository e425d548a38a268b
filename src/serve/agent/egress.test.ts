import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { probes } from '../../measure/probes.ts';
import type { AgentJob } from '../../model/agent-protocol.ts';
import type { Observation } from '../../model/observation.ts';
import { watchProbe, type WatchProbe } from '../../model/watch.ts';
import type { Io, ResolvedAddress } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { acceptJobs } from './jobs.ts';
import { guarded, targetPolicy } from './target-policy.ts';

/** The way out of probes, held against what others were got past with. Nothing here may leave this machine, allowed or not. */
const policy = targetPolicy(['127.0.0.1/32']);
const jobOf = (probe: WatchProbe, url: string, options = {}): AgentJob => ({
  id: `${probe} ${url}`,
  probe,
  endpoint: 'it',
  url,
  everyMs: 1000,
  options,
});
const rules = { policy, keyFor: () => ({ key: 'sk-123456' }) };

/** Places that lead to metadata services, link-local addresses, the own host or private networks, in every way to write them. */
const literals = [
  '127.1.1.1',
  '0x7f010101',
  '017700200401',
  '0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[::ffff:127.1.1.1]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '169.254.169.254.',
  '①⑥⑨.254.169.254',
  '100.100.100.200',
  '10.0.0.1',
  '255.255.255.255',
  '224.0.0.1',
  '[ff02::1]',
];
const names: Record<string, string[]> = {
  'metadata.google.internal': ['169.254.169.254'],
  'metadata.google.internal.': ['169.254.169.254'],
  '127.9.9.9.nip.io': ['127.9.9.9'],
  'xn--80ak6aa92e.example': ['192.168.1.1'],
  'both.example': ['127.0.0.1', '169.254.169.254'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'six.example': ['fd00:ec2::254'],
};

/** An outside world that counts every connection and refuses to make any. */
function world(answer: (host: string) => string[] = (host) => names[host] ?? []): { io: Io; connected: string[] } {
  const connected: string[] = [];
  const real = fakeIo({ realClock: true });
  const lookup = (host: string): Promise<ResolvedAddress[]> =>
    Promise.resolve(answer(host).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  const openTcp = (): TcpTransport => ({
    stamps: 'user',
    tap: false,
    about: 'none',
    ready: Promise.resolve(),
    connect: (target) => {
      connected.push(target.address);
      return Promise.reject(Object.assign(new Error('no network here'), { code: 'ENETUNREACH' }));
    },
    close: () => Promise.resolve(),
  });
  return { io: { ...real, dns: { ...real.dns, lookup }, sockets: { openTcp } }, connected };
}

async function run(probe: WatchProbe, url: URL, io: Io): Promise<Observation[]> {
  const found = probes.find(({ kind }) => kind === probe)!;
  const options = found.options.parse(probe === 'inference' ? { requests: 1, apiKey: 'sk-123456' } : {});
  const seen: Observation[] = [];
  const target = { name: 'it', vantage: 'here', url };
  for await (const one of found.run(target, options, guarded(io, policy), AbortSignal.timeout(5000))) seen.push(one);
  return seen;
}

describe.each(watchProbe.options)('probe %s', (probe) => {
  test('a job for an address that may not be measured is refused, however it is written', () => {
    const jobs = literals.map((host) =>
      jobOf(probe, `http://${host}:9/`, probe === 'stamp' ? { reflector: `${host}:9` } : {}),
    );
    const { accepted, refused } = acceptJobs(jobs, rules);
    expect(accepted.map(({ url }) => url.hostname)).toEqual([]);
    expect(refused).toHaveLength(literals.length);
  });

  test('and where it is run all the same, and by names with such addresses, nothing is sent', async () => {
    const urls = [...literals, ...Object.keys(names)].map(
      (host) => new URL(`${probe === 'tls' ? 'https' : 'http'}://${host}:9/`),
    );
    for (const url of urls) {
      const { io, connected } = world();
      const seen = await run(probe, url, io);
      const outcomes = seen.map(({ outcome }) => ('errno' in outcome ? outcome.errno : outcome.kind));
      expect([url.hostname, new Set(outcomes), connected]).toEqual([url.hostname, new Set(['EACCES']), []]);
    }
  });
});

test.each([
  'file:///etc/passwd',
  'ftp://127.0.0.1/',
  'gopher://127.0.0.1/',
  'http://127.0.0.1@169.254.169.254/',
  'http://u:p@127.0.0.1/',
  'javascript:1',
])('the target %s is none', (url) => {
  expect(acceptJobs([jobOf('tcp', url)], rules).accepted).toEqual([]);
});

test('a name whose answer changes is held against the list at each connection, and the gate looks at the address itself', async () => {
  let asked = 0;
  const { io, connected } = world(() => [asked++ === 0 ? '127.0.0.1' : '169.254.169.254']);
  await run('tcp', new URL('http://flip.example:9/'), io);
  expect(new Set(connected)).toEqual(new Set(['127.0.0.1']));
  const transport = guarded(io, policy).sockets.openTcp({ tap: false });
  await expect(
    transport.connect({ address: '169.254.169.254', family: 4, port: 80 }, AbortSignal.timeout(1000)),
  ).rejects.toMatchObject({ errno: 'EACCES' });
  expect(connected).not.toContain('169.254.169.254');
});

test('a redirect is the answer, and is not followed', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { location: `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere` }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`);
    const seen = await run('inference', url, fakeIo({ realClock: true }));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked).not.toContain('/elsewhere');
    expect(seen.some(({ outcome }) => outcome.kind === 'rejected' && outcome.status === 307)).toBe(true);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
