import type { BurnPair } from '../model/burn.ts';
import { burnPairs, leastBadEvents } from '../model/burn.ts';
import type { Network } from '../model/network.ts';
import type { PrometheusRule, PrometheusRules } from '../model/slo-report.ts';
import { durationMs, durationText, type Slo } from '../model/watch.ts';

/** Counter of /metrics that the rules read: one per objective, endpoint, agent and result (good, bad). */
const events = 'inferpath_slo_events_total';

/**
 * Recording and alerting rules for Prometheus ≥ 2.42: the same pairs of windows, the same least number of bad events, the same
 * threshold as inferpath itself. What they cannot do is in docs/commands/slo.md.
 */
export function prometheusRules(network: Network): PrometheusRules {
  return { groups: (network.watch?.slos ?? []).flatMap(groupsOf) };
}

function groupsOf(slo: Slo): PrometheusRules['groups'] {
  const pairs = burnPairs(durationMs(slo.window));
  const windows = [...new Set(pairs.flatMap(({ longMs, shortMs }) => [shortMs, longMs]))].sort((a, b) => a - b);
  const slices = slo.method === 'timeslices';
  const records = windows.map((ms): PrometheusRule => ({
    record: ratioName(ms),
    expr: slices ? sliceRatio(slo, ms) : eventRatio(slo, ms),
    labels: { slo: slo.name },
  }));
  return [
    ...(slices
      ? [
          {
            name: `inferpath-slo-${slo.name}-slices`,
            interval: durationText(durationMs(slo.slice)),
            rules: [sliceRule(slo)],
          },
        ]
      : []),
    {
      name: `inferpath-slo-${slo.name}`,
      rules: [...records, alertOf(slo, pairs, 'page'), alertOf(slo, pairs, 'ticket')],
    },
  ];
}

function ratioName(ms: number): string {
  return `inferpath:slo_bad:ratio${durationText(ms)}`;
}

function badAndAll(slo: Slo, ms: number, of: 'rate' | 'increase'): { bad: string; all: string } {
  const by = 'sum by (endpoint)';
  const window = `[${durationText(ms)}]`;
  const all = `${by} (${of}(${events}{slo="${slo.name}"}${window}))`;
  // Without one bad event there is no series of them: that is none, not nothing known.
  return { bad: `(${by} (${of}(${events}{slo="${slo.name}",result="bad"}${window})) or 0 * ${all})`, all };
}

function eventRatio(slo: Slo, ms: number): string {
  const { bad, all } = badAndAll(slo, ms, 'rate');
  return `${bad} / (${all} > 0)`;
}

const sliceName = 'inferpath:slo_slice:bad';

function sliceRule(slo: Slo): PrometheusRule {
  const { bad, all } = badAndAll(slo, durationMs(slo.slice), 'increase');
  return {
    record: sliceName,
    expr: `${bad} / (${all} > 0) > bool ${decimal(1 - slo.sliceObjective)}`,
    labels: { slo: slo.name },
  };
}

function sliceRatio(slo: Slo, ms: number): string {
  return `avg by (endpoint) (avg_over_time(${sliceName}{slo="${slo.name}"}[${durationText(ms)}]))`;
}

function alertOf(slo: Slo, pairs: readonly BurnPair[], severity: 'page' | 'ticket'): PrometheusRule {
  const mine = pairs.filter((pair) => pair.severity === severity);
  const select = `{slo="${slo.name}"}`;
  const over = (ms: number, factor: number) => `${ratioName(ms)}${select} > ${decimal(factor * (1 - slo.objective))}`;
  const enough = (ms: number) =>
    slo.method === 'timeslices'
      ? `sum by (endpoint) (sum_over_time(${sliceName}${select}[${durationText(ms)}])) >= ${leastBadEvents}`
      : // increase() reaches to the ends of the window by guessing: half an event less is still three.
        `${badAndAll(slo, ms, 'increase').bad} >= ${leastBadEvents - 0.5}`;
  return {
    alert: severity === 'page' ? 'InferpathBudgetBurn' : 'InferpathBudgetBurnSlow',
    expr: mine
      .map(
        ({ longMs, shortMs, factor }) =>
          `(${over(longMs, factor)} and ${over(shortMs, factor)} and on (endpoint) ${enough(longMs)})`,
      )
      .join('\nor\n'),
    keep_firing_for: durationText(2 * mine[0]!.shortMs),
    labels: { severity, slo: slo.name },
    annotations: {
      summary: `{{ $labels.endpoint }} uses up the error budget of ${slo.name} too fast`,
      description: `{{ $value | humanizePercentage }} of events were bad against ${decimal(100 * (1 - slo.objective))} % that are allowed over ${slo.window}.`,
    },
  };
}

function decimal(value: number): string {
  return String(Number(value.toFixed(9)));
}
