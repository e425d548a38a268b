import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cli, published } from '../../../test/fixtures/cli.ts';
import type { PolicyProof } from '../../model/secure/policy-proof.ts';

const example = readFileSync(new URL('../../../examples/policy.yaml', import.meta.url), 'utf8');
const run = (words: string, files: Record<string, string> = {}, more: { stdin?: string; columns?: number } = {}) =>
  cli(['secure', 'policy', ...words.split(' ')], { files: { 'n.yaml': example, ...files }, ...more });
const emit = async (words = '--target nftables') => (await run(`emit n.yaml ${words}`)).stdout;

describe('secure policy emit', () => {
  test('nftables: own table, both families, every line by its name and why, the ports of containers', async () => {
    const text = await emit();
    expect(text.match(/^(table|delete table) .*$/gm)).toEqual([
      'table inet inferpath',
      'delete table inet inferpath',
      'table inet inferpath {',
    ]);
    for (const line of ['users-to-models', 'operators-to-servers', 'scraping', 'tensor-parallel'])
      for (const address of ['ip saddr', 'ip6 saddr', 'meta nfproto ipv4 ip saddr', 'meta nfproto ipv6 ip6 saddr'])
        expect(text).toMatch(new RegExp(`^ {4}${address} .* accept comment "${line}"$`, 'm'));
    expect(text).toContain('# scraping: Node and GPU exporters.');
    expect(text).toContain('ct original proto-dst 11434 accept comment "users-to-models"');
    expect(text).not.toContain('flush');
  });

  test('for one host: nothing that does not concern it', async () => {
    const text = await emit('--target nftables --host embeddings --deny reject');
    expect(text).toContain('what concerns embeddings');
    expect(text).not.toMatch(/daddr \{? ?10\.40\.8\.11\b/);
    expect(text).toContain('    reject with icmpx admin-prohibited\n  }');
  });

  test('iptables: a script for both families; --output writes a file', async () => {
    const { io, code } = await run('emit n.yaml --target iptables --output r.sh');
    expect(code).toBe(0);
    const text = await io.fs.readText('r.sh', 1e6);
    expect(text.match(/^ip6?tables-restore .*$/gm)).toHaveLength(2);
    expect(text).not.toMatch(/ -F| -X|flush ruleset/);
  });

  test.each([
    ['emit n.yaml', '--target: is required; allowed: nftables, iptables'],
    ['emit n.yaml --target nftables --host embedding', 'did you mean embeddings?'],
    ['emit none.yaml --target nftables', 'none.yaml: policy: is required'],
    ['prove n.yaml x.nft --target nftables', '--target: goes without files of rules'],
    ['prove n.yaml x.nft', 'x.nft: line 1: found "hello", which is not understood outside of a table'],
  ])('%s is answered with what is wrong', async (words, said) => {
    const ran = await run(words, { 'none.yaml': 'version: 1\n', 'x.nft': 'hello world\n' });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(said);
  });
});

const proofOf = (text: string) => published('policy-proof', text) as PolicyProof;

describe('secure policy prove', () => {
  test('what would be emitted means the policy, for all and for each host', async () => {
    for (const host of ['', ' --host inference', ' --host frankfurt', ' --host monitoring']) {
      const { code, stdout } = await run(`prove n.yaml${host} --json`);
      expect(code).toBe(0);
      const report = proofOf(stdout);
      expect(report.proofs).toHaveLength(8);
      expect(report.proofs.every(({ verdict, answers }) => verdict === 'proved' && answers === 'proved')).toBe(true);
    }
  });

  test('another port is refuted with the smallest packet both ways, and the rule that decided it', async () => {
    const rules = (await emit()).replace('{ 9100, 9400 }', '{ 9100, 9401 }');
    const { code, stdout } = await run('prove n.yaml r.nft --json', { 'r.nft': rules });
    expect(code).toBe(1);
    const report = proofOf(stdout);
    expect(report.verdict).toBe('refuted');
    expect(report.proofs[0]).toMatchObject({
      hook: 'inbound',
      family: 4,
      of: ['r.nft'],
      extra: {
        packet: { src: '10.40.2.5', dst: '10.40.8.11', service: 'tcp/9401' },
        lines: [],
        by: { comment: 'scraping' },
      },
      missing: { packet: { service: 'tcp/9400' }, lines: ['scraping'], by: { text: 'policy drop' } },
    });
    const text = await run('prove n.yaml r.nft', { 'r.nft': rules }, { columns: 80 });
    expect(text.stdout).toContain('10.40.2.5 → 10.40.8.11  tcp/9401\n');
    for (const line of text.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('what is not understood is neither: upper and lower closure, and exit code 3', async () => {
    const rules = (await emit()).replace(
      'iifname "lo" accept',
      'iifname "lo" accept\n    iifname "eth9" tcp dport 8000 accept\n    ip6 saddr 2001:db8:20::/48 meta mark 7 drop',
    );
    const { code, stdout } = await run('prove n.yaml - --json', {}, { stdin: rules });
    expect(code).toBe(3);
    const [four, six] = proofOf(stdout).proofs;
    expect(four).toMatchObject({
      verdict: 'not-proved',
      maybeMissing: null,
      maybeExtra: { because: [{ what: 'iifname eth9 is not looked at' }] },
    });
    expect(six!.maybeMissing!.because.map(({ what }) => what)).toContain('meta mark is not looked at');
    expect((await run('prove n.yaml -', {}, { stdin: rules })).stdout).toContain(
      'may be accepted, and no line permits it',
    );
  });

  test('rules that let no answers pass are refuted', async () => {
    const rules = (await emit()).replaceAll('ct state established,related accept', 'ct state established accept');
    const { code, stdout } = await run('prove n.yaml r.nft --json', { 'r.nft': rules });
    expect(code).toBe(1);
    expect(proofOf(stdout).proofs[0]).toMatchObject({
      verdict: 'proved',
      answers: 'refuted',
      answersBlocked: { by: { text: 'policy drop' } },
    });
  });

  test('an iptables script without its half for IPv6 leaves IPv6 open', async () => {
    const script = await emit('--target iptables');
    const four = script.replace(/^ip6tables-restore[^]*?^RULES\n/m, '').replaceAll(/^.*ip6tables.*\n/gm, '');
    const { code, stdout } = await run('prove n.yaml r.sh --json', { 'r.sh': four });
    expect(code).toBe(1);
    const report = proofOf(stdout);
    expect(report.proofs.map(({ family, verdict }) => `${family} ${verdict}`)).toEqual([
      '4 proved',
      '6 refuted',
      '4 proved',
      '6 refuted',
    ]);
    expect(report.notes.join()).toContain('Only rules for IPv4 were given');
  });
});
