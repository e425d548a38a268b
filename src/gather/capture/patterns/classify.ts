import type { Classification, Evidence } from '../../../model/capture/pattern.ts';
import type { FlowContext } from './context.ts';
import { type Condition, type Rule, rules, type View } from './rules.ts';
import type { FlowSummary } from './summary.ts';

/** Octets below which nobody asks what a flow nearly was. */
const worthAskingBytes = 1e6;

/**
 * Says what a flow looks like: the first rule whose conditions all hold, with the values that met them. The same flow in the same
 * context gives the same answer; where no rule fits it is `other`, with the rule that came nearest and what it missed.
 */
export function classify(flow: FlowSummary, context: FlowContext): Classification {
  const view: View = { flow, context };
  const possible = flow.detail ? rules : rules.filter((rule) => rule.needs === 'totals');
  for (const rule of possible) {
    if (!rule.conditions.every(({ of, holds }) => holds(of(view)))) continue;
    return {
      class: rule.class,
      confidence: rule.confidence(view),
      rule: rule.id,
      why: rule.why,
      evidence: rule.conditions.map((condition) => evidenceOf(condition, view)),
      notSeen: notSeen(flow),
    };
  }
  return other(possible, view);
}

function other(possible: readonly Rule[], view: View): Classification {
  const { flow } = view;
  const isLarge = flow.octets[0] + flow.octets[1] >= worthAskingBytes;
  const nearest = isLarge ? nearestOf(possible, view) : null;
  const why = !flow.detail
    ? 'no rule fits the totals; most classes are told by the times of packets, which a record does not have'
    : nearest
      ? `no rule fits; nearest is ${nearest.rule.id}, which asks for ${nearest.missed.map(({ feature, wanted }) => `${feature}: ${wanted}`).join(', ')}`
      : 'no rule fits';
  const evidence = (nearest?.missed ?? []).map((condition) => evidenceOf(condition, view));
  return { class: 'other', confidence: 'low', rule: 'none', why, evidence, notSeen: notSeen(flow) };
}

/** The rule of which the fewest conditions fail, at most two; of equal ones the first. */
function nearestOf(possible: readonly Rule[], view: View): { rule: Rule; missed: readonly Condition[] } | null {
  let best: { rule: Rule; missed: readonly Condition[] } | null = null;
  for (const rule of possible) {
    const missed = rule.conditions.filter(({ of, holds }) => !holds(of(view)));
    if (missed.length <= 2 && missed.length < (best?.missed.length ?? Infinity)) best = { rule, missed };
  }
  return best;
}

function evidenceOf({ feature, wanted, of }: Condition, view: View): Evidence {
  const value = of(view);
  return { feature, wanted, value: typeof value === 'number' ? Number(value.toPrecision(4)) : value };
}

function notSeen({ detail, protocol, octets, packets }: FlowSummary): string[] {
  if (!detail) return ['times and sizes of packets: only totals are known'];
  const missing: string[] = [];
  if (protocol === 6 && detail.handshakeMs === null) missing.push('the handshake, and with it the round trip');
  if (protocol === 6 && packets.includes(0)) missing.push('the other direction');
  if (detail.noPeriodWhy !== null && octets[0] + octets[1] >= worthAskingBytes) missing.push(detail.noPeriodWhy);
  return missing;
}
