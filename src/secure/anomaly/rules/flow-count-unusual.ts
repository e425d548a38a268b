import { median } from '../../../stats/quantile.ts';
import { type Look, serviceOf } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** Weight of the newest look in the running mean (EWMA, Roberts 1959). */
const weight = 0.3;
/** Deviations beyond which a count is unusual. */
const deviations = 5;
const needs = 8;
/** Makes the median absolute deviation of normal residuals their standard deviation. */
const madToSigma = 1.4826;

interface Series {
  mean: number;
  residuals: number[];
}

/**
 * How often a service is called, against a running mean of its own past and the median absolute deviation of how far each look
 * was off. Counts are taken as 2√(n + ⅜) (Anscombe 1948): of a Poisson count that has deviation one, whatever its mean, so a
 * deviation below one is chance and is taken as one.
 */
export const flowCountUnusual: AnomalyRule = {
  id: 'flow-count-unusual',
  about: 'Is a service called far more or far less often than usual?',
  pillar: 'security',
  of: 'connections',
  needs,
  start: () => {
    const series = new Map<string, Series>();
    return {
      judge: (look) => {
        const counts = countsOf(look, series.keys());
        let asked = 0;
        const findings = [...counts].flatMap(([service, count]) => {
          const known = series.get(service);
          if (!known || known.residuals.length < needs - 1) return [];
          asked++;
          const spread = Math.max(1, madToSigma * median(known.residuals.map(Math.abs).toSorted((a, b) => a - b)));
          const off = (stable(count) - known.mean) / spread;
          if (Math.abs(off) <= deviations) return [];
          const usual = countOf(known.mean);
          const per = look.samples > 0 ? 'connections a sample' : 'connections';
          return [
            anomaly(
              'flow-count-unusual',
              service,
              {
                severity: 'warning',
                claim: `${service} has ${rounded(count)} ${per} where ${rounded(usual)} are usual: ${rounded(Math.abs(off))} deviations ${off > 0 ? 'more' : 'fewer'}`,
                details: [
                  `running mean over ${known.residuals.length + 1} looks, deviation from the median of how far they were off`,
                ],
                evidence: [
                  { metric: per, value: count, unit: 'connections', n: known.residuals.length + 1, how: look.name },
                ],
                confidence: 'low',
              },
              `Compare with the load of the hour; if nobody expects it, see who calls ${service} (secure policy drift)`,
            ),
          ];
        });
        return { asked, findings };
      },
      learn: (look) => {
        for (const [service, count] of countsOf(look, series.keys())) {
          const value = stable(count);
          const known = series.get(service);
          if (!known) series.set(service, { mean: value, residuals: [] });
          else {
            known.residuals.push(value - known.mean);
            known.mean += weight * (value - known.mean);
          }
        }
      },
    };
  },
};

/** Of each service, also of those that were seen before and are not now. Samples of one look are a mean, logs a sum. */
function countsOf({ connections, samples }: Look, known: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const service of known) counts.set(service, 0);
  for (const flow of connections?.flows ?? [])
    counts.set(serviceOf(flow), (counts.get(serviceOf(flow)) ?? 0) + flow.seen / Math.max(1, samples));
  return counts;
}

const stable = (count: number): number => 2 * Math.sqrt(count + 3 / 8);
const countOf = (value: number): number => Math.max(0, (value / 2) ** 2 - 3 / 8);
const rounded = (value: number): string => String(Number(value.toPrecision(3)));
