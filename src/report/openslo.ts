import type { Network } from '../model/network.ts';
import { durationMs, type Slo } from '../model/watch.ts';
import { endpointsOfSlo } from '../model/watch-plan.ts';

/**
 * The objectives of a network file as documents of OpenSLO v1, one for each objective and endpoint, as a service of OpenSLO is one
 * thing. A `metricSource` of type `inferpath` says which indicator is meant, so that the import has nothing to guess.
 */
export function openSloDocuments(network: Network): Record<string, unknown>[] {
  return (network.watch?.slos ?? []).flatMap((slo) => {
    const endpoints = endpointsOfSlo(network.endpoints, slo);
    return endpoints.map(({ name }, i) =>
      documentOf(slo, name, endpoints.length === 1 ? slo.name : joined(slo.name, name, i)),
    );
  });
}

/** Names end after 63 characters, there and here. */
function joined(slo: string, endpoint: string, i: number): string {
  const both = `${slo}.${endpoint}`;
  return both.length <= 63 ? both : `${slo.slice(0, 57)}.${i + 1}`;
}

function documentOf(slo: Slo, endpoint: string, name: string): Record<string, unknown> {
  const slices = slo.method === 'timeslices';
  const limited = hasLimit(slo);
  return {
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name },
    spec: {
      service: endpoint,
      indicator: { metadata: { name: `${name}-indicator` }, spec: sliOf(slo) },
      timeWindow: [{ duration: openSloDuration(slo.window), isRolling: true }],
      budgetingMethod: slices ? 'Timeslices' : 'Occurrences',
      objectives: [
        {
          ...(limited && { op: 'lte', value: slo.thresholdMs }),
          target: slo.objective,
          ...(slices && { timeSliceTarget: slo.sliceObjective, timeSliceWindow: openSloDuration(slo.slice) }),
        },
      ],
    },
  };
}

/** Of these two a limit means nothing: the probe was answered, or it was not. */
function hasLimit({ indicator, thresholdMs }: Slo): boolean {
  return thresholdMs !== undefined && indicator !== 'availability' && indicator !== 'network-loss';
}

function sliOf(slo: Slo): Record<string, unknown> {
  const { indicator, probe } = slo;
  const source = (more?: object) => ({
    metricSource: { type: 'inferpath', spec: { indicator, ...(probe && { probe }), ...more } },
  });
  if (hasLimit(slo)) return { thresholdMetric: source() };
  return { ratioMetric: { counter: true, good: source({ result: 'good' }), total: source() } };
}

/** OpenSLO has minutes, hours and days; what is less stays as it is, and says so to a reader. */
function openSloDuration(text: string): string {
  const ms = durationMs(text);
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size}${unit}`;
  return text;
}
