import { planOf, type RiskSlot, type Step } from './frontier-plan.ts';
import { type Reach, reduce } from './reduce.ts';

/** Share of time that no target is reached: it lies in [low, high]; the two are equal where nothing was left out. */
export interface Downtime {
  low: number;
  high: number;
}

// What the slot of a node holds: nothing, a node that is down, or the piece of the network that its node is connected to.
const empty = 0;
const isDown = 1;
const withSource = 2;
const withTarget = 3;
const firstFree = 4;
// What the slot of a risk holds.
const open = 0;
const didNotHappen = 1;
const happened = 2;

/** Pieces are numbered in an octet; a frontier so wide has no hope of being finished anyway. */
const widest = 240;

/**
 * The exact share of time that the source reaches no target, when risks take several links and nodes down at once: a decision
 * diagram over the risks, made level by level along a frontier (Hardy, Lucet and Limnios 2007), in which states that connect the
 * frontier alike are one. A risk is decided when the first edge needs it and remembered until its last. All sums are of positive
 * terms, so that 1e-12 comes out as exactly as 0.5.
 *
 * States grow at worst exponentially with the width of the frontier and the risks open at a time. Beyond `stateLimit` the least
 * probable are dropped, and what they weigh is the width of the interval: [low, high] holds the truth in any case.
 */
export function downtime(reach: Reach, stateLimit = 20_000): Downtime {
  if (reach.targets.includes(reach.source)) return sourceDowntime(reach);
  const plan = planOf(reduce(reach), reach.down);
  if (!plan) return { low: 1, high: 1 };
  if (plan.slots > widest) return { low: 0, high: 1 };
  const { slots, riskSlots } = plan;
  let states = new Map([['\0'.repeat(slots + riskSlots), 1]]);
  let [low, dropped] = [0, 0];
  for (const step of plan.steps) {
    const next = new Map<string, number>();
    const put = (state: Uint8Array, p: number) => {
      if (p === 0) return;
      if ('left' in step && isCutOff(state, slots, step.left)) {
        low += p;
        return;
      }
      const key = String.fromCharCode(...state);
      next.set(key, (next.get(key) ?? 0) + p);
    };
    for (const [key, p] of states) apply(step, slots, decode(key), p, put);
    states = next;
    if (states.size <= stateLimit) continue;
    const kept = [...states].sort((x, y) => y[1] - x[1]);
    for (const [, p] of kept.splice(stateLimit)) dropped += p;
    states = new Map(kept);
  }
  return { low, high: Math.min(1, low + dropped) };
}

/** Who stands at a target needs no link, only the node. */
function sourceDowntime({ source, risksOfNode, down }: Reach): Downtime {
  const share = risksOfNode[source]!.reduce((sum, r) => sum + down[r]! * (1 - sum), 0);
  return { low: share, high: share };
}

function decode(key: string): Uint8Array {
  const state = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) state[i] = key.charCodeAt(i);
  return state;
}

/** No node of the frontier is connected to the source any more, or none to a target, and none will be. */
function isCutOff(state: Uint8Array, slots: number, left: { source: boolean; targets: boolean }): boolean {
  let [source, target] = [left.source, left.targets];
  for (let i = 0; i < slots; i++) {
    if (state[i] === withSource) source = true;
    else if (state[i] === withTarget) target = true;
  }
  return !source || !target;
}

type Put = (state: Uint8Array, p: number) => void;

/** Puts what becomes of a state; one in which the source reaches a target is put nowhere. */
function apply(step: Step, slots: number, state: Uint8Array, p: number, put: Put): void {
  if (step.do === 'leave' || step.do === 'forget') {
    state[step.slot] = step.do === 'leave' ? empty : open;
    if (step.do === 'leave') renumber(state, slots);
    put(state, p);
  } else if (step.do === 'enter') {
    const pUp = splitOff(state, p, step.risks, step.own, (failed, share) => {
      failed[step.slot] = isDown;
      put(failed, share);
    });
    state[step.slot] = step.role === 'source' ? withSource : step.role === 'target' ? withTarget : 255;
    renumber(state, slots);
    put(state, pUp);
  } else {
    const [a, b] = [state[step.a]!, state[step.b]!];
    if (a === isDown || b === isDown || a === b) return put(state, p);
    const pUp = splitOff(state, p, step.risks, step.own, put);
    if (a + b === withSource + withTarget) return;
    join(state, slots, a, b);
    put(state, pUp);
  }
}

/**
 * Puts the states in which a part is down and leaves in `state` the one in which it is up, whose probability is the result. Risks
 * are asked one after the other: the first that has happened decides, and those behind it stay open.
 */
function splitOff(state: Uint8Array, p: number, risks: RiskSlot[], own: number, putDown: Put): number {
  if (risks.some(({ slot }) => state[slot] === happened)) {
    putDown(state.slice(), p);
    return 0;
  }
  let rest = p;
  for (const { slot, down } of risks) {
    if (state[slot] !== open) continue;
    const failed = state.slice();
    failed[slot] = happened;
    putDown(failed, rest * down);
    rest *= 1 - down;
    state[slot] = didNotHappen;
  }
  if (own > 0) putDown(state.slice(), rest * own);
  return rest * (1 - own);
}

function join(state: Uint8Array, slots: number, a: number, b: number): void {
  const [keep, lose] = a < b ? [a, b] : [b, a];
  for (let i = 0; i < slots; i++) if (state[i] === lose) state[i] = keep;
  renumber(state, slots);
}

/** Pieces are numbered in the order of their first slot, so that states that connect alike look alike. */
function renumber(state: Uint8Array, slots: number): void {
  const numbers = new Uint8Array(256);
  let next = firstFree;
  for (let i = 0; i < slots; i++) {
    const piece = state[i]!;
    if (piece < firstFree) continue;
    if (numbers[piece] === 0) numbers[piece] = next++;
    state[i] = numbers[piece]!;
  }
}
