import type { TlsSummary } from '../../model/inference.ts';
import { againstStep, stepLimitMs } from '../cost.ts';
import { median, sorted } from '../../stats/quantile.ts';
import { type Draft, evidenceOf, perEndpoint, type Subject } from '../per-endpoint.ts';
import { requestsOf } from '../samples.ts';
import { count, ms, needs } from '../say.ts';

interface Handshake {
  durationMs: number;
  rttMs: number;
  tls: TlsSummary;
}

/** The certificates of the server fit into its first flight: ten segments of the initial window (RFC 6928), about 14 KB. */
const firstFlightBytes = 14_000;

export const slowTls = perEndpoint(
  { id: 'slow-tls', about: 'Does TLS set-up cost no more than one round trip?', pillar: 'speed' },
  (subject): Draft | null => {
    const handshakes = handshakesOf(subject);
    if (handshakes.length === 0) return null;
    // What TLS 1.3 needs is one round trip (RFC 8446 §2); everything beyond is avoidable.
    const beyond = sorted(handshakes.map((h) => Math.max(0, h.durationMs - h.rttMs)));
    const judged = againstStep(beyond, subject.targets);
    const claim = `the median TLS set-up takes ${ms(judged.value)} beyond one round trip, ${ms(stepLimitMs(subject.targets))} are acceptable (n = ${judged.n})`;
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'handshake')}` : claim,
      details: reasons(handshakes),
      evidence: [evidenceOf('TLS beyond one RTT p50', 'ms', judged, 'user clock less TCP handshake')],
      coverage: judged.coverage,
      remedy: judged.verdict === 'fail' ? { text: remedy(handshakes), gainMs: judged.value } : undefined,
    };
  },
);

function handshakesOf({ view, name }: Subject): Handshake[] {
  const list: Handshake[] = [];
  for (const o of view.of('tls', name))
    if (o.durationMs !== null && o.rttMs !== null && o.tls)
      list.push({ durationMs: o.durationMs, rttMs: o.rttMs, tls: o.tls });
  for (const { phases, tcp, tls } of requestsOf(view, name))
    if (phases.tlsMs !== null && tcp.handshakeRttMs !== null && tls)
      list.push({ durationMs: phases.tlsMs, rttMs: tcp.handshakeRttMs, tls });
  return list;
}

function reasons(handshakes: readonly Handshake[]): (string | null)[] {
  const old = handshakes.filter((h) => h.tls.version === 'TLSv1.2').length;
  const resumed = handshakes.filter((h) => h.tls.resumed).length;
  const chain = handshakes.reduce((most, h) => Math.max(most, h.tls.certificate?.chainBytes ?? 0), 0);
  return [
    `the median TCP round trip of the same connections is ${ms(median(sorted(handshakes.map((h) => h.rttMs))))}`,
    old > 0 ? `${count(old, 'handshake')} used TLS 1.2, which needs a second round trip` : null,
    resumed === 0 && handshakes.length > 1 ? 'no session was resumed' : null,
    chain > firstFlightBytes ? `the certificate chain has ${chain} bytes and does not fit into the first flight` : null,
  ];
}

function remedy(handshakes: readonly Handshake[]): string {
  if (handshakes.some((h) => h.tls.version === 'TLSv1.2'))
    return 'enable TLS 1.3 on the server: it saves one round trip per connection';
  if (handshakes.some((h) => (h.tls.certificate?.chainBytes ?? 0) > firstFlightBytes))
    return 'shorten the certificate chain (ECDSA instead of RSA, no root in it) so that it fits into the first flight';
  return 'look at the CPU of whoever terminates TLS, use ECDSA certificates and session resumption, and keep connections open';
}
