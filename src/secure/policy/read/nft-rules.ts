/** A ruleset of nftables as both of its notations are read: text and JSON. Nothing is judged here. */

export interface NftRuleset {
  chains: NftChain[];
  /** Elements of named sets by `family table name`; null where they come and go while the rules run. */
  sets: ReadonlyMap<string, NftValue[] | null>;
}

export interface NftChain {
  family: string;
  table: string;
  name: string;
  /** Of a chain that begins at a hook. */
  base?: { type: string; hook: string; priority: number; policy: 'accept' | 'drop' };
  rules: NftRule[];
}

export interface NftRule {
  statements: NftStatement[];
  text: string;
  line?: number;
  comment?: string;
}

/** A value, the ends of a range, or `@name` of a set. Prefixes stay as text. */
export type NftValue = string | readonly [first: string, last: string];

export type NftVerdict = 'accept' | 'drop' | 'return' | 'continue' | 'unknown' | { jump: string } | { goto: string };

export type NftStatement =
  /** `what` is how nft names it: `ip saddr`, `tcp dport`, `ct state`. True if any of the values holds. */
  | { kind: 'match'; what: string; op: NftOp; values: NftValue[] }
  | { kind: 'map'; what: string; entries: { value: NftValue; verdict: NftVerdict }[] }
  | { kind: 'verdict'; verdict: NftVerdict }
  /** Counters, logs: nothing that matters here. */
  | { kind: 'neutral' }
  /** A condition that was not understood. */
  | { kind: 'doubt'; why: string };

export type NftOp = '==' | '!=' | '<' | '>' | '<=' | '>=';

/** A text that is no ruleset: with the place, where there is one. */
export class RulesetError extends Error {
  readonly line: number | undefined;
  constructor(message: string, line?: number) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.name = 'RulesetError';
    this.line = line;
  }
}

/** Statements that neither let a packet pass nor keep it, nor ask anything of it. */
export const neutralStatements: ReadonlySet<string> = new Set([
  'counter',
  'log',
  'comment',
  'last',
  'mangle',
  'set',
  'ct helper',
  'ct timeout',
]);
