import { printable } from '../../model/outcome.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { count } from '../say.ts';
import { tlsSeen } from '../tls-seen.ts';

/** SSL 3.0: RFC 7568. TLS 1.0 and 1.1: RFC 8996. */
const forbidden = new Set(['SSLv3', 'TLSv1', 'TLSv1.0', 'TLSv1.1']);
const good = new Set(['TLSv1.2', 'TLSv1.3']);
/** Suites that RFC 9325 §4.1 says must not be used. */
const weakSuite = /RC4|3DES|DES-CBC|NULL|EXP|anon|MD5/i;

export const oldTls = perEndpoint(
  { id: 'old-tls', about: 'Is the TLS version, and are the ciphers, ones that are still safe?', pillar: 'security' },
  (subject): Draft | null => {
    if (subject.url.protocol !== 'https:') return null;
    const seen = tlsSeen(subject);
    if (seen.length === 0) return { verdict: 'unknown', claim: '0 TLS handshakes were seen', coverage: 0 };
    const versions = [...new Set(seen.map((t) => printable(t.version, 20)))].sort();
    const bad = seen.filter((t) => forbidden.has(t.version) || weakSuite.test(t.cipher));
    const strange = seen.filter((t) => !forbidden.has(t.version) && !good.has(t.version));
    const evidence = [
      {
        metric: 'unsafe handshakes',
        value: bad.length / seen.length,
        unit: 'share',
        n: seen.length,
        how: 'negotiated version and suite',
      },
    ];
    if (bad.length > 0)
      return {
        verdict: 'fail',
        severity: 'critical',
        claim: `${bad.length} of ${count(seen.length, 'handshake')} agreed on ${printable(bad[0]!.version, 20)} with ${printable(bad[0]!.cipher, 60)}, which is broken`,
        evidence,
        confidence: 'high',
        remedy: { text: 'allow only TLS 1.2 and 1.3 with AEAD suites on the server (RFC 9325)' },
      };
    if (strange.length > 0)
      return {
        verdict: 'unknown',
        claim: `${strange.length} of ${count(seen.length, 'handshake')} named no known TLS version`,
        evidence,
        coverage: 0.5,
      };
    return { verdict: 'pass', claim: `${count(seen.length, 'handshake')} with ${versions.join(' and ')}`, evidence };
  },
);
