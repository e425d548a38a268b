import { resolveWorkload } from '../../model/defaults.ts';
import type { Endpoint, Network } from '../../model/network.ts';
import type { SampleKind, SampleMetric } from '../../model/sample.ts';
import type { Slo } from '../../model/watch.ts';
import { probeOfSlo } from '../../model/watch-plan.ts';

/** What makes an event of an objective good, in the columns of a sample. */
export interface Indicator {
  kind: SampleKind;
  limit: { metric: SampleMetric; max: number } | null;
}

/** Loss needs no limit of its own: a lost probe is a bad one. */
export function indicatorOf(network: Network, endpoint: Endpoint, slo: Slo): Indicator {
  const kind = probeOfSlo(slo);
  const { targets } = resolveWorkload(network, endpoint);
  const limit = (metric: SampleMetric, fallback: number) => ({ metric, max: slo.thresholdMs ?? fallback });
  switch (slo.indicator) {
    case 'availability':
    case 'network-loss':
      return { kind, limit: null };
    case 'network-rtt':
      return { kind, limit: limit('rttMs', targets.networkRttMs.max) };
    case 'ttft':
      return { kind, limit: limit('ttftMs', targets.ttftMs.max) };
    case 'token-gap':
      return { kind, limit: limit('gapMaxMs', targets.tokenGapMs.max) };
    case 'total':
      return { kind, limit: limit('totalMs', Infinity) };
  }
}
