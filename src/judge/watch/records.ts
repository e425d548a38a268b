import { type Condition, conditionOf } from './condition.ts';
import { isoOf } from './endpoints.ts';
import type { Moment } from './moment.ts';
import type { WatchRuleId } from './rules.ts';

/** What is told for the record only: maintenance, and times in which nobody judged. */
export function recordConditions(moment: Moment): Condition[] {
  const { network, clock } = moment;
  const maintenance = (network.watch?.maintenance ?? []).map(({ from, to, endpoints, reason }) => {
    const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
    const names = endpoints ?? network.endpoints.map(({ name }) => name);
    const isNow = fromMs <= clock.horizonMs && clock.horizonMs < toMs;
    return record(
      'maintenance',
      `${from} ${reason}`,
      isNow,
      fromMs,
      names,
      `maintenance until ${isoOf(toMs)}: ${reason}; nothing pages, no budget counts`,
      'nothing, unless it takes longer: then change the end in the network file',
    );
  });
  const { gap } = clock;
  const fromMs = gap?.fromMs ?? clock.now;
  const way =
    gap && gap.toMs < gap.fromMs
      ? 'the clock of this server was set back'
      : 'nothing was judged, or the clock of this server was set';
  return [
    ...maintenance,
    record(
      'evaluation-gap',
      'server',
      gap !== null,
      fromMs,
      [],
      `${way}: from ${isoOf(fromMs)} to ${isoOf(gap?.toMs ?? clock.now)}`,
      'see why this server did not run, or who sets its clock; agents kept their results',
    ),
  ];
}

function record(
  rule: WatchRuleId,
  subject: string,
  isNow: boolean,
  sinceMs: number,
  endpoints: string[],
  claim: string,
  remedy: string,
): Condition {
  return conditionOf(rule, { subject, severity: 'info', level: isNow ? 'bad' : 'good', sinceMs, endpoints }, () => ({
    claim,
    confidence: 'high',
    remedy: { text: remedy },
  }));
}
