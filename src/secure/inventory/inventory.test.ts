import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plannedNetwork, type Network } from '../../model/network.ts';
import type { EncryptionLayer } from '../../model/network-security.ts';
import type { SecureEvidence } from '../../model/secure/evidence.ts';
import type { Gate, InventoryReport } from '../../model/secure/inventory.ts';
import { takeInventory } from './inventory.ts';

const now = new Date('2026-06-01T00:00:00Z');
const looked = { evidence: 'show on both ends', checked: '2026-05-01' };
const good: Partial<EncryptionLayer> = {
  kind: 'macsec',
  cipher: 'aes-gcm',
  keyBits: 256,
  keyAgreement: 'psk',
  ...looked,
};

const networkOf = (hops: object[], more: object = {}): Network =>
  plannedNetwork.parse({ version: 1, security: { hops }, ...more });
const inventory = (network: Network, evidence: SecureEvidence[] = []) =>
  takeInventory(network, 'n.yaml', evidence, now);
const withLayers = (...layers: object[]) => inventory(networkOf([{ name: 'wan', between: ['a', 'b'], layers }]));
const verdicts = ({ hops }: InventoryReport) => hops[0]!.gates.map(({ verdict }) => verdict).join(' ');

describe('gates of one hop (encrypted, cipher, quantum-safe)', () => {
  test.each<[string, string, object[]]>([
    ['nothing is said', 'unknown unknown unknown', []],
    ['nothing encrypts it', 'fail fail fail', [{ kind: 'none' }]],
    ['QKD without anything to use its keys', 'fail fail fail', [{ kind: 'qkd', ...looked }]],
    ['MACsec with a preshared key of 256 bit', 'pass pass pass', [good]],
    ['the same, declared only', 'unknown unknown unknown', [{ ...good, evidence: undefined }]],
    ['the same, looked at two years ago', 'unknown unknown unknown', [{ ...good, checked: '2024-05-01' }]],
    ['the same, without the day', 'unknown unknown unknown', [{ ...good, checked: undefined }]],
    ['the same, on a day to come', 'unknown unknown unknown', [{ ...good, checked: '2026-07-01' }]],
    ['the same on a part of the hop', 'fail pass pass', [{ ...good, covers: 'partOfHop' }]],
    ['MACsec with keys of EAP-TLS', 'pass pass fail', [{ ...good, keyAgreement: 'eap-tls' }]],
    ['MACsec with 128 bit', 'pass pass fail', [{ ...good, keyBits: 128 }]],
    ['IPsec with curves', 'pass pass fail', [{ ...good, kind: 'ipsec', keyAgreement: 'ecdh' }]],
    [
      'IPsec with a PPK beside them (RFC 8784)',
      'pass pass pass',
      [{ ...good, kind: 'ipsec', keyAgreement: 'psk+ecdh' }],
    ],
    ['IPsec with 3DES', 'pass fail pass', [{ ...good, kind: 'ipsec', cipher: '3des' }]],
    ['OTNsec with keys of QKD alone', 'pass pass fail', [{ ...good, kind: 'otnsec', keyAgreement: 'qkd' }]],
    [
      'OTNsec with a preshared key and QKD beside it',
      'pass pass pass',
      [{ ...good, kind: 'otnsec', keyAgreement: 'qkd+psk' }],
    ],
    ['WireGuard without a preshared key', 'pass pass fail', [{ kind: 'wireguard', keyAgreement: 'ecdh', ...looked }]],
    ['TLS with hybrid ML-KEM', 'pass pass pass', [{ ...good, kind: 'tls', keyAgreement: 'ml-kem+ecdh' }]],
    ['a layer whose keys nobody knows', 'pass pass unknown', [{ ...good, keyAgreement: undefined }]],
    [
      'a good layer around a bad one',
      'pass pass pass',
      [good, { kind: 'ipsec', cipher: '3des', keyAgreement: 'dh', ...looked }],
    ],
  ])('%s: %s', (_, expected, layers) => {
    expect(verdicts(withLayers(...layers.map((layer) => JSON.parse(JSON.stringify(layer)) as object)))).toBe(expected);
  });

  test('links and endpoints that no hop speaks for are there, and unknown; loopback is none', () => {
    const more = {
      sites: [
        { name: 'a', role: 'dc' },
        { name: 'b', role: 'dc' },
      ],
      links: [{ name: 'x', from: 'a', to: 'b' }],
      endpoints: [
        { name: 'tls', url: 'https://h' },
        { name: 'plain', url: 'http://h' },
        { name: 'own', url: 'http://127.0.0.1' },
      ],
    };
    const { hops } = inventory(networkOf([], more));
    expect(hops.map(({ name, gates }) => `${name} ${gates[0]!.verdict}`)).toEqual([
      'x unknown',
      'tls unknown',
      'plain fail',
    ]);
  });

  test('what was measured at an endpoint wins, and the newest of it; "unknown" is no measurement', () => {
    const network = networkOf([], { endpoints: [{ name: 'chat', url: 'https://h' }] });
    const tls = (startedAt: string, kind: string): SecureEvidence => ({
      schema: 'inferpath/secure-tls@1',
      startedAt,
      endpoints: [{ name: 'chat', verdict: { kind, reason: 'r' } }],
    });
    expect(verdicts(inventory(network, [tls('2026-05-02', 'classical')]))).toBe('pass unknown fail');
    expect(verdicts(inventory(network, [tls('2026-05-03', 'pq-default'), tls('2026-05-02', 'classical')]))).toBe(
      'pass unknown pass',
    );
    expect(verdicts(inventory(network, [tls('2026-05-02', 'unknown')]))).toBe('unknown unknown unknown');
  });
});

describe('the tenets of SP 800-207', () => {
  const state = (evidence: SecureEvidence[]) =>
    inventory(networkOf([{ name: 'wan', between: ['a', 'b'], layers: [good] }]), evidence).tenets.map(
      (one) => one.state,
    );

  test('what nobody measured is unknown, what we cannot see is called that, and neither passes', () => {
    expect(state([])).toEqual(['unknown', 'pass', 'unknown', 'unknown', 'notObservable', 'unknown', 'notObservable']);
  });

  test('what was measured is counted', () => {
    const exposure = (auth: 'none' | 'enforced' | 'unknown'): SecureEvidence => ({
      schema: 'inferpath/secure-exposure@1',
      startedAt: '',
      vantage: 'v',
      services: [{ address: 'a', port: 1, engine: 'vllm', transport: 'http', auth }],
    });
    const proof = (verdict: 'proved' | 'refuted' | 'not-proved'): SecureEvidence => ({
      schema: 'inferpath/policy-proof@1',
      host: null,
      verdict,
      texts: [],
    });
    const drift = (denials: unknown[], permittedBy: string[]): SecureEvidence => ({
      schema: 'inferpath/policy-drift@1',
      measuredAt: '',
      seenBy: '',
      denials,
      listeners: [{ permittedBy }],
    });
    expect(state([exposure('enforced'), proof('proved'), drift([], ['web'])])).toEqual([
      'pass',
      'pass',
      'pass',
      'pass',
      'notObservable',
      'pass',
      'notObservable',
    ]);
    expect(state([exposure('none'), proof('refuted'), drift([{}], [])])).toEqual([
      'fail',
      'pass',
      'fail',
      'fail',
      'notObservable',
      'fail',
      'notObservable',
    ]);
    expect(state([exposure('unknown'), proof('not-proved')])[2]).toBe('unknown');
    expect(state([exposure('unknown'), proof('not-proved')])[3]).toBe('unknown');
  });
});

const rank = { fail: 0, unknown: 1, pass: 2 } as const;
const layer = fc.record(
  {
    kind: fc.constantFrom('otnsec', 'macsec', 'ipsec', 'wireguard', 'tls', 'ssh', 'qkd'),
    cipher: fc.constantFrom('aes-gcm', 'aes-cbc', '3des', 'chacha20-poly1305', 'null'),
    keyBits: fc.constantFrom(56, 128, 256),
    keyAgreement: fc.constantFrom(
      'psk',
      'psk+ecdh',
      'ecdh',
      'dh',
      'rsa',
      'eap-tls',
      'ml-kem',
      'ml-kem+ecdh',
      'qkd',
      'qkd+psk',
    ),
    covers: fc.constantFrom('wholeHop', 'partOfHop'),
    evidence: fc.constant('looked'),
    checked: fc.constantFrom('2026-05-01', '2020-01-01'),
  },
  { requiredKeys: ['kind'] },
);
const hopsOf = fc.array(fc.oneof(fc.array(layer, { maxLength: 3 }), fc.constant([{ kind: 'none' }])), {
  minLength: 1,
  maxLength: 4,
});

/** What mends one gate of one hop, as its remedy says: one layer is put right, or comes in place of "none". */
function mended(layers: readonly object[], at: number, id: Gate['id']): object[] {
  const repair: Record<string, object> = {
    encrypted: { covers: 'wholeHop', ...looked },
    cipher: { cipher: 'aes-gcm', keyBits: 256, ...looked },
    'quantum-safe': { keyAgreement: 'ml-kem+ecdh', ...looked },
  };
  const target: { kind?: string } | undefined = layers[at % Math.max(1, layers.length)];
  const isNone = target?.kind === undefined || target.kind === 'none';
  if (isNone)
    return [...layers.filter((one) => (one as { kind: string }).kind !== 'none'), { kind: 'macsec', ...repair[id] }];
  return layers.map((one) => (one === target ? { ...one, ...repair[id] } : one));
}

test('mending something never makes a gate worse, nor the score smaller', () => {
  fc.assert(
    fc.property(
      hopsOf,
      fc.nat(),
      fc.nat(),
      fc.constantFrom('encrypted', 'cipher', 'quantum-safe'),
      (all, hop, at, id) => {
        const named = (list: readonly (readonly object[])[]) =>
          inventory(networkOf(list.map((layers, i) => ({ name: `h${i}`, between: ['a', 'b'], layers }))));
        const before = named(all);
        const after = named(all.map((layers, i) => (i === hop % all.length ? mended(layers, at, id) : layers)));
        expect(after.score.passed).toBeGreaterThanOrEqual(before.score.passed);
        expect(after.score.failed).toBeLessThanOrEqual(before.score.failed);
        for (const [i, { gates }] of before.hops.entries())
          for (const [k, gate] of gates.entries())
            expect(rank[after.hops[i]!.gates[k]!.verdict]).toBeGreaterThanOrEqual(rank[gate.verdict]);
      },
    ),
    { numRuns: 500, seed: 800_207 },
  );
});
