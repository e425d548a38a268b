import type { TlsSummary } from '../../model/inference.ts';
import { printable } from '../../model/outcome.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { count } from '../say.ts';
import { tlsSeen } from '../tls-seen.ts';

/** Automatic renewal happens a third of the lifetime before the end (30 of 90 days): with 14 days left it has failed. */
const renewalDays = 14;
const dayMs = 86_400_000;

export const certificate = perEndpoint(
  { id: 'certificate', about: 'Is the certificate valid, trusted, and valid long enough?', pillar: 'security' },
  (subject): Draft | null => {
    if (subject.url.protocol !== 'https:') return null;
    const seen = tlsSeen(subject);
    const withOne = seen.filter((t) => t.certificate !== null);
    if (withOne.length === 0 && !seen.some((t) => !t.authorized))
      return { verdict: 'unknown', claim: '0 certificates were seen', coverage: 0 };
    const untrusted = seen.filter((t) => !t.authorized);
    const daysLeft = withOne.reduce((least, t) => Math.min(least, daysOf(t, subject.now)), Infinity);
    const evidence = [
      {
        metric: 'certificate days left',
        value: daysLeft,
        unit: 'days',
        n: withOne.length,
        how: 'notAfter of the leaf',
      },
    ];
    const details = withOne[0]?.certificate ? [describe(withOne[0].certificate)] : [];
    if (untrusted.length > 0)
      return {
        verdict: 'fail',
        severity: 'critical',
        claim: `${untrusted.length} of ${count(seen.length, 'handshake')} showed a certificate that is not trusted here: ${printable(untrusted[0]!.authorizationError ?? 'no reason given', 100)}`,
        details,
        evidence,
        confidence: 'high',
        remedy: {
          text: 'install the whole chain on the server, or give the private CA with --ca; an issuer that you do not know may be a proxy that inspects TLS',
        },
      };
    if (daysLeft < renewalDays)
      return {
        verdict: 'fail',
        severity: daysLeft < 0 ? 'critical' : 'warning',
        claim:
          daysLeft < 0
            ? `the certificate ended ${Math.ceil(-daysLeft)} days ago`
            : `the certificate ends in ${Math.floor(daysLeft)} days`,
        details,
        evidence,
        confidence: 'high',
        remedy: { text: 'renew the certificate, and find out why automatic renewal did not' },
      };
    return {
      verdict: 'pass',
      claim: `the certificate is trusted and ends in ${Math.floor(daysLeft)} days`,
      details,
      evidence,
    };
  },
);

/** By the date where it can be read, since a stored run is judged later than it was measured. */
function daysOf({ certificate: c }: TlsSummary, now: Date): number {
  if (!c) return Infinity;
  const end = Date.parse(c.validTo);
  return Number.isNaN(end) ? c.daysLeft : (end - now.getTime()) / dayMs;
}

function describe(c: NonNullable<TlsSummary['certificate']>): string {
  return `${printable(c.subject, 80)}, issued by ${printable(c.issuer, 80)}, ${printable(c.keyType, 30)}`;
}
