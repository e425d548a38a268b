import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { fakeIo, type FakeIoOptions } from '../../../test/fakes/io.ts';
import { published } from '../../../test/fixtures/cli.ts';
import { plannedNetwork } from '../../model/network.ts';
import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { PolicySuggestion } from '../../model/secure/policy-suggestion.ts';
import { runCli } from '../run.ts';

const network = `version: 1
policy:
  groups:
    - { name: clients, cidrs: [10.1.0.0/16] }
    - { name: servers, cidrs: [10.2.0.1] }
  allow:
    - { name: ask, from: [clients], to: [servers], services: [tcp/8000], why: questions }
`;
const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const tcp = `${header}
   0: 00000000:1F40 00000000:0000 0A 0:0 00:0 0 0 0 1 1
   1: 0100020A:1F40 0500010A:C350 01 0:0 00:0 0 0 0 1 1
   2: 0100020A:1F40 0500090A:C350 01 0:0 00:0 0 0 0 1 1
`;
const trie = `Local:
        +-- 10.2.0.0/24 2 0 2
           |-- 10.2.0.1
              /32 host LOCAL
`;
const log = `#Version: 1.5
#Fields: date time action protocol src-ip dst-ip src-port dst-port path
2026-11-27 10:00:00 ALLOW TCP 10.1.0.5 10.2.0.1 50000 8000 RECEIVE
2026-11-27 10:00:00 DROP TCP 10.9.0.5 10.2.0.1 50000 11434 RECEIVE
`;

async function run(words: string, files: Record<string, string>, more: FakeIoOptions = {}) {
  const io = fakeIo({ files: { 'n.yaml': network, ...files }, ...more });
  const code = await runCli(words.split(' '), io);
  return { code, out: io.stdout(), err: io.stderr(), io };
}

describe('inferpath secure policy drift', () => {
  const here = { '/proc/net/tcp': tcp, '/proc/net/fib_trie': trie };

  it('looks at this host as often as asked, and says so with every zero', async () => {
    const { code, out } = await run('secure policy drift n.yaml --samples 3 --interval 2', here);
    expect(code).toBe(1);
    expect(out).toContain('n.yaml: policy against 3 samples, one every 2 s');
    expect(out).toContain('10.9.0.5 → 10.2.0.1 tcp/8000');
    expect(out).toMatch(/ask +used +seen 3 times in 3 samples/);
  });

  it('prints one document of the published schema, which a later run compares with', async () => {
    const first = await run('secure policy drift n.yaml --json', here);
    const report = published('policy-drift', first.out) as PolicyDriftReport;
    expect(report).toMatchObject({ self: ['10.2.0.1'], denials: [{ from: '10.9.0.5' }], firstTimeTalkers: null });
    const more = `${tcp}   3: 00000000:2CAA 00000000:0000 0A 0:0 00:0 0 0 0 1 1\n   4: 0100020A:1F40 0600010A:C350 01 0:0 00:0 0 0 0 1 1\n`;
    const second = await run('secure policy drift n.yaml --json --against before.json', {
      ...here,
      '/proc/net/tcp': more,
      'before.json': first.out,
    });
    const later = published('policy-drift', second.out) as PolicyDriftReport;
    expect(later.firstTimeTalkers).toMatchObject([{ from: '10.1.0.6' }]);
    expect(later.listeners.filter(({ isNew }) => isNew)).toMatchObject([{ port: 11_434, permittedBy: [] }]);
    expect(later.findings.map(({ id }) => id)).toEqual(['policy-drift', 'new-listener']);
  });

  it('ends with 0 where nothing outside was seen, and with 3 where nothing was seen at all', async () => {
    expect((await run('secure policy drift n.yaml log', { log: log.replace(/^.*DROP.*\n/m, '') })).code).toBe(0);
    expect((await run('secure policy drift n.yaml log', { log: log.replace(/^2026.*\n/gm, '') })).code).toBe(3);
  });

  it('keeps what it has at Ctrl-C', async () => {
    const io = fakeIo({ files: { 'n.yaml': network, ...here } });
    const running = runCli('secure policy drift n.yaml --samples 1000 --interval 1'.split(' '), io);
    await new Promise((done) => setTimeout(done, 20));
    io.interrupt();
    expect(await running).toBe(130);
    expect(io.stdout()).toMatch(/policy against \d+ samples?/);
  });

  it('follows a log that grows and one that takes its place, telling each kind of flow once', async () => {
    const io = fakeIo({ files: { 'n.yaml': network, log } });
    const running = runCli('secure policy drift n.yaml log --follow --zone +01:00'.split(' '), io);
    const line = (second: number, from: string) =>
      `2026-11-27 10:00:0${second} ALLOW TCP ${from} 10.2.0.1 50000 22 RECEIVE\n`;
    const turn = () => new Promise((done) => setTimeout(done, 30));
    await turn();
    io.written.set('/home/test/log', `${log}${line(1, '10.1.0.7')}${line(2, '10.1.0.7')}`);
    io.written.set('log', `${log}${line(1, '10.1.0.7')}${line(2, '10.1.0.7')}`);
    await turn();
    io.written.set(
      '/home/test/log',
      `#Fields: date time action protocol src-ip dst-ip src-port dst-port path\n${line(3, '10.1.0.8')}`,
    );
    io.written.set(
      'log',
      `#Fields: date time action protocol src-ip dst-ip src-port dst-port path\n${line(3, '10.1.0.8')}`,
    );
    await turn();
    io.interrupt();
    expect(await running).toBe(130);
    const told = io
      .stdout()
      .split('\n')
      .filter((text) => text.startsWith('2026'));
    expect(told).toEqual([
      '2026-11-27T09:00:00.000Z  kept out already  10.9.0.5 → 10.2.0.1 tcp/11434  inbound',
      '2026-11-27T09:00:01.000Z  would be denied   10.1.0.7 → 10.2.0.1 tcp/22  inbound',
      '2026-11-27T09:00:03.000Z  would be denied   10.1.0.8 → 10.2.0.1 tcp/22  inbound',
    ]);
  });

  it.each([
    ['secure policy drift n.yaml odd', /odd:1: file: is none of what is read here/],
    ['secure policy drift n.yaml missing', /Cannot read "missing"/],
    ['secure policy drift n.yaml --self 10.2.0.300', /--self: found "10.2.0.300"; allowed: an IP address/],
    [
      'secure policy drift n.yaml --against odd',
      /odd: found no JSON; allowed: what inferpath secure policy drift --json printed/,
    ],
    ['secure policy drift n.yaml --against json', /json: schema: .*; allowed: what inferpath/],
    ['secure policy drift n.yaml --follow', /--follow: found 0 files; allowed: one log/],
    ['secure policy drift none.yaml', /none.yaml: policy: found nothing; allowed: a policy/],
    ['secure policy drift n.yaml cut', /cut:2: dst-port: found "x"/],
  ])('%s is a mistake that says what and where', async (words, message) => {
    const files = {
      odd: 'hello\n',
      json: '{}',
      'none.yaml': 'version: 1\n',
      cut: '#Fields: date time action protocol src-ip dst-ip src-port dst-port path\n2026-11-27 10:00:00 ALLOW TCP 10.1.0.5 10.2.0.1 50000 x RECEIVE\n',
    };
    const { code, err } = await run(words, files);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it('says on Windows which command to run there', async () => {
    const { code, err } = await run('secure policy drift n.yaml', {}, { platform: 'win32' });
    expect(err).toContain('Get-NetTCPConnection');
    expect(code).toBe(2);
  });
});

describe('inferpath secure policy suggest', () => {
  it('prints a section that the network file takes as it is, and the rest beside it', async () => {
    const { code, out, err } = await run('secure policy suggest log', { log });
    expect(code).toBe(0);
    expect(plannedNetwork.parse({ version: 1, ...(parse(out) as object) }).policy?.allow).toMatchObject([
      { services: ['tcp/8000'] },
    ]);
    expect(err).toContain('PROVED every flow that was taken is permitted');
    expect(err).toContain('less than the 7 of --min-days');
    expect(err).toContain('a firewall kept it out');
  });

  it('stays within the policy in force, and takes saved looks', async () => {
    const saved = await run('secure policy drift n.yaml --json', { '/proc/net/tcp': tcp });
    const { code, out } = await run('secure policy suggest --network n.yaml --saved a.json --json', {
      'a.json': saved.out,
    });
    const report = published('policy-suggestion', out) as PolicySuggestion;
    expect(code).toBe(0);
    expect(report.proofs).toEqual({ observedWithin: { verdict: 'proved' }, withinCurrent: { verdict: 'proved' } });
    expect(report.policy.allow).toMatchObject([{ to: ['servers'], services: ['tcp/8000'] }]);
    expect(report.leftOut).toMatchObject([
      { flow: { from: '10.9.0.5' }, why: 'the policy in force does not permit it' },
    ]);
  });

  it('ends with 3 where there was nothing to make a policy of', async () => {
    expect((await run('secure policy suggest log', { log: log.replace(/^.*ALLOW.*\n/m, '') })).code).toBe(3);
  });
});

describe('the lists of this system', () => {
  it.skipIf(process.platform !== 'linux')('are read as they are on Linux', async () => {
    const read = (path: string) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return '';
      }
    };
    const lists = ['tcp', 'tcp6', 'udp', 'udp6', 'fib_trie', 'if_inet6'].map((name) => `/proc/net/${name}`);
    const { out } = await run(
      'secure policy drift n.yaml --json',
      Object.fromEntries(lists.map((path) => [path, read(path)])),
    );
    const { snapshot, self } = published('policy-drift', out) as PolicyDriftReport;
    expect(snapshot.sources).toMatchObject([{ mistakes: 0 }]);
    expect(self.every((address) => !address.startsWith('127.'))).toBe(true);
  });
});
