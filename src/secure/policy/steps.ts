import { type Box, intersectBoxes, isEmpty } from './box.ts';
import type { Chain, Path, Rule, RuleRef, Verdict } from './program.ts';

/** A rule in a list without chains: it decides, or goes on at a step further down. */
export interface Step {
  box: Box;
  /** See Rule. */
  unsure?: string;
  action: Verdict | { goOnAt: number };
  ref: RuleRef;
}

/** More steps than this are not looked at: jumps into jumps could otherwise fill any memory. */
const maxSteps = 400_000;
/** The kernel allows 16 levels of nftables jumps. */
const maxDepth = 32;

export class TooManySteps extends Error {}

/**
 * Chains with their jumps as one list: what a jump reaches stands in place of it, kept to the packets of the jump; accepting in any
 * chain but the last means going on at the next.
 *
 * @throws TooManySteps
 */
export function stepsOf(path: Path, everything: Box): Step[] {
  const steps: Step[] = [];
  const last = path.findLastIndex((chain) => !isAccepting(chain));
  if (last === -1) return [{ box: everything, action: 'accept', ref: endOf(path.at(-1), 'accept') }];
  path.slice(0, last + 1).forEach((chain, i) => {
    if (isAccepting(chain)) return;
    const next = place();
    const end = place();
    const accept = i === last ? 'accept' : next;
    unroll(chain, everything, { steps, accept, back: end, depth: 0 });
    end.goOnAt = steps.length;
    const policy = chain.policy ?? 'accept';
    add(steps, { box: everything, action: policy === 'accept' ? accept : policy, ref: endOf(chain, policy) });
    next.goOnAt = steps.length;
  });
  return steps;
}

/** A chain that can only accept says nothing. */
const isAccepting = ({ rules, policy }: Chain): boolean =>
  policy !== 'drop' && rules.every(({ action }) => action === 'accept' || action === 'continue' || action === 'return');

function endOf(chain: Chain | undefined, policy: Verdict): RuleRef {
  return { chain: chain?.name ?? 'no chain', text: chain ? `policy ${policy}` : 'nothing judges here' };
}

/** A place further down, which is known when the list has come to it. */
const place = (): { goOnAt: number } => ({ goOnAt: -1 });

interface Unrolling {
  steps: Step[];
  accept: Step['action'];
  /** Where `return` leads. */
  back: { goOnAt: number };
  depth: number;
}

function unroll(chain: Chain, within: Box, unrolling: Unrolling): void {
  if (unrolling.depth > maxDepth) throw new TooManySteps(`jumps lead deeper than ${maxDepth} chains`);
  for (const rule of chain.rules) {
    if (rule.action === 'continue') continue;
    const box = intersectBoxes(rule.box, within);
    if (!isEmpty(box)) addRule(rule, box, unrolling);
  }
}

function addRule({ action, unsure, ref }: Rule, box: Box, unrolling: Unrolling): void {
  const { steps, accept, back, depth } = unrolling;
  const doubt = unsure === undefined ? {} : { unsure };
  if (action === 'continue') return;
  if (action === 'unknown') {
    add(steps, { box, unsure: unsure ?? 'a verdict that nobody can foresee', action: accept, ref });
    add(steps, { box, ...doubt, action: 'drop', ref });
    return;
  }
  if (typeof action !== 'object') {
    add(steps, { box, ...doubt, action: action === 'accept' ? accept : action === 'return' ? back : action, ref });
    return;
  }
  const after = place();
  if (unsure !== undefined) add(steps, { box, unsure, action: after, ref });
  if ('jump' in action) unroll(action.jump, box, { steps, accept, back: after, depth: depth + 1 });
  else {
    unroll(action.goto, box, { steps, accept, back, depth: depth + 1 });
    add(steps, { box, action: back, ref });
  }
  after.goOnAt = steps.length;
}

function add(steps: Step[], step: Step): void {
  if (steps.length >= maxSteps)
    throw new TooManySteps(`more than ${maxSteps} rules, counting those behind jumps each time`);
  steps.push(step);
}
