import { adviceOf, clampAdvice, icmpAdvice, placeOf } from '../../model/mtu-advice.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { printable } from '../../model/outcome.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { count } from '../say.ts';

type Mtu = ObservationOf<'mtu'>;

/** What Ethernet carries: below it something on the way takes octets off. */
const FULL_BYTES = 1500;

export const pathMtu = perEndpoint(
  {
    id: 'path-mtu',
    about: 'Do full-sized packets reach the endpoint, and is somebody telling when they do not?',
    pillar: 'reach',
  },
  ({ view, name }): Draft | null => {
    const all = view.of('mtu', name);
    // The last method that got any answer; where none did, the last one tells why.
    const shown = all.findLast(({ forward }) => forward.confirmedBytes !== null) ?? all.at(-1);
    return shown ? judgeMtu(shown) : null;
  },
);

function judgeMtu(mtu: Mtu): Draft {
  const { forward, probes, how, lossShare } = mtu;
  const bytes = forward.confirmedBytes;
  const base = {
    details: [forward.why, ...(forward.hop ? [`${placeOf(forward.hop)}: ${forward.hop.why}`] : []), ...mtu.notes].map(
      (text) => printable(text, 400),
    ),
    evidence:
      bytes === null
        ? []
        : [{ metric: 'path MTU', value: bytes, unit: 'octets', n: Math.max(0, probes), how: printable(how, 300) }],
  };
  if (bytes === null || forward.verdict === 'unknown')
    return bytes !== null && bytes >= FULL_BYTES
      ? { ...base, verdict: 'pass', claim: `packets of ${count(bytes, 'octet')} arrive` }
      : {
          ...base,
          verdict: 'unknown',
          claim: `the path MTU is not known: ${printable(forward.why, 300)}`,
          coverage: bytes === null ? 0 : 0.5,
        };
  if (forward.verdict === 'black-hole') return { ...base, ...blackHole(mtu, bytes) };
  return { ...base, ...limited(mtu, bytes), confidence: (lossShare ?? 0) > 0.1 ? 'medium' : 'high' };
}

function blackHole(mtu: Mtu, bytes: number): Draft {
  const { forward, tcp, family } = mtu;
  const place = forward.hop ? ` ${placeOf(forward.hop)}` : '';
  const vanish = `packets of more than ${count(bytes, 'octet')} vanish${place}`;
  const fits = tcp?.fits === true;
  const sends = tcp && !fits ? `, and TCP sends ${count(tcp.packetBytes, 'octet')}` : '';
  return {
    verdict: 'fail',
    severity: fits ? 'warning' : 'critical',
    claim: `${vanish}${fits ? `; TCP to port ${tcp.port} is held to packets that fit, other protocols are not` : sends}`,
    confidence: (forward.chanceOfLoss ?? 1) < 0.01 ? 'high' : 'medium',
    remedy: {
      text: fits
        ? icmpAdvice(family, forward.hop)
        : `${icmpAdvice(family, forward.hop)}; or ${clampAdvice(family, bytes)}`,
    },
  };
}

function limited(mtu: Mtu, bytes: number): Draft {
  const { forward, tcp, family } = mtu;
  if (bytes >= FULL_BYTES || forward.verdict === 'no-limit' || tcp?.fits !== false) {
    const who = forward.by === null ? '' : `, as ${printable(forward.by, 60)} says`;
    return { verdict: 'pass', claim: `packets of up to ${count(bytes, 'octet')} arrive${who}` };
  }
  return {
    verdict: 'fail',
    severity: 'warning',
    claim: `the path carries ${count(bytes, 'octet')} and TCP sends ${count(tcp.packetBytes, 'octet')}: every new connection loses its first large packets`,
    details: [forward.why, ...adviceOf(mtu)].map((text) => printable(text, 600)),
    remedy: { text: clampAdvice(family, bytes) },
  };
}
