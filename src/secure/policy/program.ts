import type { Family } from '../../model/cidr.ts';
import type { Box } from './box.ts';
import type { PolicyHook } from './policy.ts';

/** What readers make of a text: the rules that a new connection meets, in the order in which it meets them. */

export type Verdict = 'accept' | 'drop';

/** Where a rule stands, so that a person finds it. */
export interface RuleRef {
  chain: string;
  /** Line of the text that was read; absent where the text has no lines, as in JSON. */
  line?: number;
  /** The rule as it stands there. */
  text: string;
  comment?: string;
}

/**
 * What happens to the packets of a rule. `continue` does nothing that matters here (counters, logs), `return` goes back to the rule
 * after the jump, `goto` jumps without coming back, `unknown` is a verdict that nobody can foresee (a queue, a program).
 */
export type Action = Verdict | 'continue' | 'return' | 'unknown' | { jump: Chain } | { goto: Chain };

export interface Rule {
  /** The packets that it matches; with `unsure`, all that it could match. */
  box: Box;
  /** What of its conditions was not understood: whether a packet of the box matches is open. */
  unsure?: string;
  action: Action;
  ref: RuleRef;
}

export interface Chain {
  name: string;
  rules: readonly Rule[];
  /** Of a chain that begins at a hook: what happens at its end. */
  policy?: Verdict;
}

/**
 * The chains that begin at a hook, in the order of their priority. A packet passes only if every one of them accepts it:
 * accepting is final for a chain, denying for all. Targets without order (Windows, security groups) are one chain, with what blocks
 * before what allows.
 */
export type Path = readonly Chain[];

/** Which packets are asked about: those that begin a connection, those that belong to one that is known, or those that belong to none. */
export type PacketState = 'new' | 'established' | 'related' | 'invalid';

/** A text that was read, to be asked what it does at each hook. */
export interface Firewall {
  pathAt(hook: PolicyHook, family: Family, state: PacketState): Path;
}
