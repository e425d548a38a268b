import { median } from '../../../stats/quantile.ts';
import { type Look, looksInWords, serviceOf } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** Octets below which a ratio says nothing. */
const leastBytes = 100_000;
/** A side counts when it has at least this many times the octets of the other. */
const leastRatio = 2;
const needs = 3;

/**
 * A service whose callers always sent more than they got (or the other way round), and now it is turned about: a model that was
 * asked questions is being copied out, or an upload takes the place of a download.
 */
export const bytesInverted: AnomalyRule = {
  id: 'bytes-inverted',
  about: 'Does a service give where it always took, or take where it always gave?',
  pillar: 'security',
  of: 'connections',
  needs,
  start: () => {
    const history = new Map<string, number[]>();
    return {
      judge: (look) => {
        const ratios = ratiosOf(look);
        let asked = 0;
        const findings = [...ratios].flatMap(([service, ratio]) => {
          const before = history.get(service) ?? [];
          if (before.length < needs) return [];
          asked++;
          const side = Math.sign(before[0]!);
          const isSteady = before.every((one) => one * side >= Math.log2(leastRatio));
          if (!isSteady || ratio.log2 * side > -Math.log2(leastRatio)) return [];
          const usual = 2 ** Math.abs(median(before.toSorted((a, b) => a - b)));
          const now = 2 ** Math.abs(ratio.log2);
          const words = (sign: number, times: number) =>
            `${rounded(times)} times as much ${sign > 0 ? 'to' : 'from'} it`;
          return [
            anomaly(
              'bytes-inverted',
              service,
              {
                severity: 'warning',
                claim: `${service}: ${words(-side, now)} as the other way, where ${words(side, usual)} is usual`,
                details: [
                  `${rounded(ratio.toBytes)} octets to it, ${rounded(ratio.fromBytes)} from it; ${looksInWords(before.length)} all leant the other way`,
                ],
                evidence: [
                  { metric: 'octets one way over the other', value: now, unit: '1', n: before.length, how: look.name },
                ],
                confidence: 'medium',
              },
              `See who moved these octets (conntrack or flow records of the time), and whether it was meant`,
            ),
          ];
        });
        return { asked, findings };
      },
      learn: (look) => {
        for (const [service, { log2 }] of ratiosOf(look)) {
          const before = history.get(service);
          if (before) before.push(log2);
          else history.set(service, [log2]);
        }
      },
    };
  },
};

interface Ratio {
  toBytes: number;
  fromBytes: number;
  /** Positive where more goes to the service. */
  log2: number;
}

/** Of every service whose octets were counted both ways and are enough to say something. */
function ratiosOf({ connections }: Look): Map<string, Ratio> {
  const sums = new Map<string, { toBytes: number; fromBytes: number }>();
  for (const flow of connections?.flows ?? []) {
    if (flow.bytesOut === undefined || flow.bytesIn === undefined) continue;
    const sum = sums.get(serviceOf(flow)) ?? { toBytes: 0, fromBytes: 0 };
    sum.toBytes += flow.bytesOut;
    sum.fromBytes += flow.bytesIn;
    sums.set(serviceOf(flow), sum);
  }
  const ratios = new Map<string, Ratio>();
  for (const [service, { toBytes, fromBytes }] of sums) {
    if (toBytes + fromBytes < leastBytes) continue;
    ratios.set(service, { toBytes, fromBytes, log2: Math.log2(Math.max(1, toBytes) / Math.max(1, fromBytes)) });
  }
  return ratios;
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)));
