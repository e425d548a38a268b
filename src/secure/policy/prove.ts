import type { Family } from '../../model/cidr.ts';
import { everything, hasPacket, type Packet } from './box.ts';
import { compare, type Comparison, type Doubt } from './compare.ts';
import type { Permit, PolicyHook } from './policy.ts';
import type { Path, RuleRef } from './program.ts';
import { type Step, stepsOf, TooManySteps } from './steps.ts';

/** A packet that the rules treat otherwise than the policy says, and who is behind it. */
export interface Witness {
  packet: Packet;
  /** The rule that decided it. */
  by: RuleRef;
  /** The lines of the policy that permit it; none where nothing does. */
  lines: string[];
}

/** Packets whose fate hangs on something in the rules that was not understood. */
export interface OpenQuestion {
  /** The smallest of them. */
  packet: Packet;
  /** What was not understood, and in which rule. */
  because: { what: string; rule: RuleRef }[];
  /** Some of the places: ranges of source, destination, service. */
  where: Doubt['where'];
}

export type Proof = { hook: PolicyHook; family: Family; cells: number } & (
  | { verdict: 'proved' }
  /** `extra`: accepted and not permitted; `missing`: permitted and not accepted. One of them is there. */
  | { verdict: 'refuted'; extra?: Witness; missing?: Witness }
  /**
   * Neither shown: the rules accept at least the policy without `missing` (the lower closure) and at most the policy with `extra` (the
   * upper closure).
   */
  | { verdict: 'not-proved'; why: string; extra?: OpenQuestion; missing?: OpenQuestion }
);

export interface ToProve {
  hook: PolicyHook;
  family: Family;
  /** What the text does with packets that begin a connection. */
  path: Path;
  /** What the policy permits there. */
  permits: readonly Permit[];
  maxRows?: number;
}

/** Holds what a text accepts at a hook against the policy. Never passes what it did not see whole. */
export function prove({ hook, family, path, permits, maxRows }: ToProve): Proof {
  const at = { hook, family };
  let steps: Step[];
  try {
    steps = stepsOf(path, everything(family));
  } catch (error) {
    if (error instanceof TooManySteps) return { ...at, cells: 0, verdict: 'not-proved', why: error.message };
    throw error;
  }
  const found = compare(
    steps,
    permits.map(({ box }) => box),
    family,
    maxRows,
  );
  return { ...at, cells: found.cells, ...verdictOf(found, steps, permits) };
}

type Judged = Proof extends infer P ? (P extends Proof ? Omit<P, 'hook' | 'family' | 'cells'> : never) : never;

function verdictOf(found: Comparison, steps: readonly Step[], permits: readonly Permit[]): Judged {
  const { extra, missing, maybeExtra, maybeMissing } = found;
  if (extra || missing)
    return {
      verdict: 'refuted',
      ...(extra ? { extra: witness(extra.packet, steps, permits) } : {}),
      ...(missing ? { missing: witness(missing.packet, steps, permits) } : {}),
    };
  if (!found.isComplete)
    return {
      verdict: 'not-proved',
      why: `the rules overlap too much: after ${found.cells} cells not all had been looked at, and those agree`,
    };
  if (!maybeExtra && !maybeMissing) return { verdict: 'proved' };
  return {
    verdict: 'not-proved',
    why: 'rules have conditions that were not understood',
    ...(maybeExtra ? { extra: question(maybeExtra, steps) } : {}),
    ...(maybeMissing ? { missing: question(maybeMissing, steps) } : {}),
  };
}

function witness(packet: Packet, steps: readonly Step[], permits: readonly Permit[]): Witness {
  const lines = permits.filter(({ box }) => hasPacket(box, packet)).map(({ line }) => line);
  return { packet, by: decider(packet, steps), lines: [...new Set(lines)] };
}

/** The step that decides a packet whose fate is certain: of doubtful steps, all ways lead to the same end, and the sure one is told. */
function decider(packet: Packet, steps: readonly Step[]): RuleRef {
  for (let i = 0; i < steps.length; i++) {
    const { box, action, unsure, ref } = steps[i]!;
    if (unsure !== undefined || !hasPacket(box, packet)) continue;
    if (typeof action !== 'object') return ref;
    i = action.goOnAt - 1;
  }
  return { chain: 'no chain', text: 'nothing judges here' };
}

function question({ packet, steps: indices, where }: Doubt, steps: readonly Step[]): OpenQuestion {
  const because = indices.map((i) => {
    const { unsure, ref } = steps[i]!;
    return { what: unsure ?? '', rule: ref };
  });
  return { packet, because, where };
}
