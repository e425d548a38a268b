import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { TrafficPair } from '../../model/plan/demand.ts';

/** For every pair of sites that a link connects directly: whether the 99th percentile of its demand fits into what may be used of it. */
export function demandFindings({ links, planning }: Network, pairs: readonly TrafficPair[]): Finding[] {
  return pairs.flatMap((pair) => {
    const direct = links.filter(
      ({ from, to }) => (from === pair.from && to === pair.to) || (from === pair.to && to === pair.from),
    );
    const known = direct.filter(({ capacityGbps }) => capacityGbps !== undefined);
    if (known.length === 0) return [];
    const capacity = known.reduce((sum, { capacityGbps = 0 }) => sum + capacityGbps, 0);
    return [fits(pair, capacity, planning.maxUtilisation, known.length === direct.length)];
  });
}

function fits(
  { from, to, gbps, busyHourUtc }: TrafficPair,
  capacity: number,
  share: number,
  complete: boolean,
): Finding {
  const usable = capacity * share;
  const enough = gbps.p99 <= usable;
  const verdict = enough ? 'pass' : complete ? 'fail' : 'unknown';
  const [need, have] = [rounded(gbps.p99), rounded(usable)];
  return {
    id: 'demand-over-link',
    verdict,
    severity: enough ? 'info' : gbps.busyHour > usable ? 'critical' : 'warning',
    pillar: 'scale',
    subject: `${from} → ${to}`,
    claim: `${from} → ${to} needs ${need} Gbit/s (p99 of the busiest hour, ${busyHourUtc}:00 UTC); of its direct links ${have} Gbit/s may be used`,
    details: complete ? [] : ['a direct link without capacityGbps is not counted'],
    evidence: [
      { metric: 'demand p99', value: gbps.p99, unit: 'Gbit/s', n: 0, how: 'computed from the network file' },
      { metric: 'usable capacity', value: usable, unit: 'Gbit/s', n: 0, how: 'capacityGbps × planning.maxUtilisation' },
    ],
    confidence: 'medium',
    coverage: verdict === 'unknown' ? 0.5 : 1,
    ...(enough
      ? {}
      : {
          remedy: {
            text: `Raise the capacity between ${from} and ${to} to ${rounded(gbps.p99 / share)} Gbit/s, give transfers more time, or route around`,
          },
        }),
  };
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)));
