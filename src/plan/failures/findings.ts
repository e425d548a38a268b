import type { Finding } from '../../model/finding.ts';
import type { DemandsReport, FailuresReport, TrafficCase } from '../../model/plan/failures.ts';

/** What an architect has to know of it: what one failure takes away, what it delays, and what only two together do. */
export function failuresFindings(demands: DemandsReport, pairs: FailuresReport['pairs']): Finding[] {
  if (demands.totalGbps === 0) return [];
  const { singles, doubles } = demands;
  return [lost(demands), late(singles), ...(doubles ? [together(doubles, pairs)] : [])];
}

const how = 'every failure worked out, demands rerouted by shortest paths (ECMP)';
const complete = { n: 0, how };

function lost({ singles, totalGbps }: DemandsReport): Finding {
  const worst = singles.worst.find(({ lostGbps }) => lostGbps > 0);
  const fails = singles.losing > 0 && worst !== undefined;
  return {
    id: 'failure-loses-demand',
    verdict: fails ? 'fail' : 'pass',
    severity: fails ? 'critical' : 'info',
    pillar: 'reliability',
    subject: worst ? caseName(worst) : 'network',
    claim: fails
      ? `${singles.losing} of ${singles.cases} single failures leave demand without a path, at worst ${gbps(worst.lostGbps)} of ${gbps(totalGbps)} Gbit/s: ${caseName(worst)}`
      : `None of ${singles.cases} single failures leaves a demand between sites that stand without a path`,
    details: singles.worst
      .filter((one) => one.lostGbps > 0)
      .slice(1, 4)
      .map((one) => `${caseName(one)}: ${gbps(one.lostGbps)} Gbit/s without a path`),
    evidence: [{ metric: 'demand without a path', value: worst?.lostGbps ?? 0, unit: 'Gbit/s', ...complete }],
    confidence: 'high',
    coverage: 1,
    ...(fails
      ? {
          remedy: {
            text: `Give what hangs on ${caseName(worst)} a second way that shares no link, duct or device with it`,
          },
        }
      : {}),
  };
}

function late(singles: DemandsReport['singles']): Finding {
  const cases = singles.worst.filter(({ lateCount }) => lateCount > 0);
  const worst = cases.toSorted((a, b) => excess(b) - excess(a))[0];
  const one = worst?.late.toSorted((a, b) => b.rttMs - b.limitMs - (a.rttMs - a.limitMs))[0];
  const fails = singles.late > 0;
  const example =
    worst && one
      ? `: ${caseName(worst)} takes ${one.name} from ${one.from} to ${one.to} to ${ms(one.rttMs)} ms, limit ${ms(one.limitMs)} ms (${one.class})`
      : '';
  return {
    id: 'failure-over-latency',
    verdict: fails ? 'fail' : 'pass',
    severity: fails ? 'warning' : 'info',
    pillar: 'speed',
    subject: worst ? caseName(worst) : 'network',
    claim: fails
      ? `After ${singles.late} of ${singles.cases} single failures a workload is beyond the round trip of its class${example}`
      : `After each of ${singles.cases} single failures every workload that has a path is within the round trip of its class`,
    details: ['the round trip is that of light in fibre along the new path, or as entered: devices add to it'],
    evidence: one ? [{ metric: 'round trip after the failure', value: one.rttMs, unit: 'ms', ...complete }] : [],
    confidence: 'medium',
    coverage: 1,
    ...(fails
      ? { remedy: { text: 'Add a shorter second way, or serve these users from a second site nearer to them' } }
      : {}),
  };
}

function excess({ late: list }: TrafficCase): number {
  return Math.max(0, ...list.map(({ rttMs, limitMs }) => rttMs - limitMs));
}

function together(doubles: NonNullable<DemandsReport['doubles']>, pairs: FailuresReport['pairs']): Finding {
  const worst = doubles.worstTogether[0];
  const cutOff = pairs.doubles?.together ?? 0;
  return {
    id: 'two-failures-together',
    verdict: worst ? 'fail' : 'pass',
    severity: worst ? 'warning' : 'info',
    pillar: 'reliability',
    subject: worst ? caseName(worst) : 'network',
    claim: worst
      ? `${doubles.together} pairs of failures do more harm together than apart; the worst is ${caseName(worst)}: ${harm(worst)}`
      : `No two of ${doubles.cases} pairs of failures do more harm together than apart`,
    details: [`${cutOff} pairs cut sites off from each other that neither cuts off alone`],
    evidence: [{ metric: 'pairs of failures worse together', value: doubles.together, unit: 'pairs', ...complete }],
    confidence: 'high',
    coverage: 1,
    ...(worst
      ? {
          remedy: {
            text: `Keep ${caseName(worst)} from failing at the same time: no works on both, no shared duct or power, repair of one before works on the other`,
          },
        }
      : {}),
  };
}

/** What a case does, in a few words. */
function harm({ lostGbps, lateCount, overfull, fullest }: TrafficCase): string {
  const parts = [
    ...(lostGbps > 0 ? [`${gbps(lostGbps)} Gbit/s without a path`] : []),
    ...(lateCount > 0 ? [`${lateCount} demands beyond the round trip of their class`] : []),
    ...(overfull > 0 && fullest ? [`${fullest.link} ${Math.round(fullest.utilisation * 100)} % full`] : []),
  ];
  return parts.join(', ');
}

function caseName({ elements }: TrafficCase): string {
  return elements.map(({ kind, name }) => `${kind.replace('-', ' ')} ${name}`).join(' and ');
}

const gbps = (value: number): string => String(Number(value.toPrecision(3)));
const ms = gbps;
