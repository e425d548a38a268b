import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { TrafficPair } from '../../model/plan/demand.ts';
import type { LinkCapacity } from '../../model/plan/engineering.ts';
import { capacityInWords } from '../link-capacities.ts';

/**
 * For every pair of sites that a link connects directly: whether the 99th percentile of its demand fits into what may be used of it.
 * @param capacities of every link, as entered or measured
 */
export function demandFindings(
  { links, planning }: Network,
  pairs: readonly TrafficPair[],
  capacities: readonly LinkCapacity[],
): Finding[] {
  return pairs.flatMap((pair) => {
    const direct = capacities.filter((_, l) => {
      const { from, to } = links[l]!;
      return (from === pair.from && to === pair.to) || (from === pair.to && to === pair.from);
    });
    return direct.some(({ counted }) => counted) ? [fits(pair, direct, planning.maxUtilisation)] : [];
  });
}

function fits({ from, to, gbps, busyHourUtc }: TrafficPair, direct: readonly LinkCapacity[], share: number): Finding {
  const usable = direct.reduce((sum, { counted }) => sum + (counted?.value ?? 0), 0) * share;
  const complete = direct.every(({ is }) => is !== 'unknown' && is !== 'atLeast');
  const measured = direct.filter((one) => one.measured);
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
    details: [
      ...(direct.some(({ is }) => is === 'unknown') ? ['a direct link without capacityGbps is not counted'] : []),
      ...measured.map((one) => `${one.link}: ${capacityInWords(one)}`),
    ],
    evidence: [
      { metric: 'demand p99', value: gbps.p99, unit: 'Gbit/s', n: 0, how: 'computed from the network file' },
      {
        metric: 'usable capacity',
        value: usable,
        unit: 'Gbit/s',
        n: measured.length,
        how: `${direct.some(({ counted }) => counted?.origin === 'measured') ? 'measured capacity' : 'capacityGbps'} × planning.maxUtilisation`,
      },
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
