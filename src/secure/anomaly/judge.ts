import type { Finding } from '../../model/finding.ts';
import type { Look, LookKind } from './look.ts';
import type { AnomalyContext, AnomalyRule } from './rule.ts';
import { authBecameOpen } from './rules/auth-became-open.ts';
import { bytesInverted } from './rules/bytes-inverted.ts';
import { flowCountUnusual } from './rules/flow-count-unusual.ts';
import { flowFirstSeen } from './rules/flow-first-seen.ts';
import { inferenceEgressFirstSeen } from './rules/inference-egress-first-seen.ts';
import { listenerMoved } from './rules/listener-moved.ts';
import { tlsGroupDowngrade } from './rules/tls-group-downgrade.ts';
import { tlsKeyChanged } from './rules/tls-key-changed.ts';

/** Every rule, the gravest first. */
export const anomalyRules: readonly AnomalyRule[] = [
  authBecameOpen,
  listenerMoved,
  inferenceEgressFirstSeen,
  tlsGroupDowngrade,
  tlsKeyChanged,
  bytesInverted,
  flowFirstSeen,
  flowCountUnusual,
];

/** What one rule said of the last look of its kind, and what it would have said of those before. */
export interface Judged {
  rule: AnomalyRule;
  /** The look that was judged; null where there are too few. */
  look: string | null;
  /** Looks of its kind that were learnt before it. */
  learnt: number;
  /** Things that it held against what it knew. */
  asked: number;
  findings: Finding[];
  /** The same rule on the looks before, each judged by those before it: how often it would have spoken. */
  replay: { looks: number; asked: number; alarms: number };
}

/** Judges the last look of each kind by all earlier ones, in the order of time. Pure. */
export function judgeAnomalies(
  looks: readonly Look[],
  context: AnomalyContext,
  rules: readonly AnomalyRule[] = anomalyRules,
): Judged[] {
  const inOrder = looks.toSorted((a, b) => a.atMs - b.atMs);
  return rules.map((rule) =>
    judgeRule(
      rule,
      inOrder.filter((look) => shows(look, rule.of)),
      context,
    ),
  );
}

function judgeRule(rule: AnomalyRule, looks: readonly Look[], context: AnomalyContext): Judged {
  const state = rule.start(context);
  const judged: Judged = {
    rule,
    look: null,
    learnt: Math.max(0, looks.length - 1),
    asked: 0,
    findings: [],
    replay: { looks: 0, asked: 0, alarms: 0 },
  };
  for (const [i, look] of looks.entries()) {
    if (i >= rule.needs) {
      const { asked, findings } = state.judge(look);
      if (i === looks.length - 1) Object.assign(judged, { look: look.name, asked, findings });
      else {
        judged.replay.looks++;
        judged.replay.asked += asked;
        judged.replay.alarms += findings.length;
      }
    }
    state.learn(look);
  }
  return judged;
}

function shows(look: Look, kind: LookKind): boolean {
  return look[kind] !== null;
}
