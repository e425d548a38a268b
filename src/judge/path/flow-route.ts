import type { TraceRecord } from '../../model/trace-record.ts';
import { type HopTally, makeTally, tallyProbe } from './tally.ts';

/** One probe per hop of one flow, by TTL; ends with the first answer that ends the path. */
export type Round = readonly TraceRecord[];

/** A way that a flow took for some time, with all that its rounds saw. */
export interface Version {
  hops: Map<number, HopTally>;
  rounds: number;
  firstMs: number;
  lastMs: number;
}

export interface RouteChange {
  atMs: number;
  from: Version;
  to: Version;
}

/** Rounds in a row with another address at a hop before that is a change: by chance, two ways taken at random look so in 1 of 64. */
export const roundsForChange = 6;
/** Where addresses take turns, so many times the same one in a row is no chance any more: 2⁻¹⁹. */
const roundsForSettling = 20;
/** Rounds that are held back at most, while a hop that differed stays silent. */
const heldAtMost = 60;

/**
 * Follows the way of one flow. A load balancer that spreads packets one by one makes addresses take turns, which is no
 * change of the path: so a new address must stay for some rounds, and one that alternates with the old one joins it. Until
 * that is decided, rounds are held back, because their losses and round trips belong to the one way or to the other.
 */
export class FlowRoute {
  readonly versions: Version[] = [];
  #current: Version | null = null;
  #held: Round[] = [];
  /** TTL → rounds in a row with an address that is not of the current version. */
  readonly #differing = new Map<number, number>();
  readonly #turns = new Map<number, { address: string; times: number }>();
  readonly #spread: ReadonlyMap<number, ReadonlySet<string>>;

  /** @param spread addresses that are known to take turns, by TTL */
  constructor(spread: ReadonlyMap<number, ReadonlySet<string>>) {
    this.#spread = spread;
  }

  get current(): Version | null {
    return this.#current;
  }

  /** Rounds of which it is not decided yet to which version they belong. */
  get undecided(): number {
    return this.#held.length;
  }

  /** @returns the change that this round completes, if it does */
  add(round: Round): RouteChange | null {
    const now = (this.#current ??= this.#newVersion());
    foldTarget(now, round);
    this.#compare(now, round);
    if (this.#differing.size === 0) {
      this.#decide(now);
      apply(now, round);
      return this.#settled(now, round);
    }
    this.#held.push(round);
    if ([...this.#differing.values()].some((times) => times >= roundsForChange)) return this.#changed(now);
    if (this.#held.length >= heldAtMost) this.#decide(now);
    return null;
  }

  #compare(now: Version, round: Round): void {
    for (const record of round) {
      if (record.answer === null) continue;
      const { ttl } = record;
      if (this.#isNew(now, record)) this.#differing.set(ttl, (this.#differing.get(ttl) ?? 0) + 1);
      else if (this.#differing.delete(ttl)) this.#join(now, ttl);
    }
    // Ways of different lengths that take turns: at the shorter one's end, nothing is to be seen of the longer one's.
    const last = round.at(-1);
    if (last?.answer?.end === 'target' && !this.#isNew(now, last))
      for (const ttl of this.#differing.keys()) if (ttl > last.ttl) this.#differing.delete(ttl);
  }

  #isNew(version: Version, { ttl, answer }: TraceRecord): boolean {
    const hop = version.hops.get(ttl);
    const ends = endsOf(version);
    // A target that moved nearer or farther: another path, also where the hop was silent so far.
    if (answer!.end === 'target' && ends.length > 0 && !ends.includes(ttl)) return true;
    if (!hop || hop.addresses.size === 0) return ends.length > 0 && ttl > Math.max(...ends);
    return !hop.addresses.has(answer!.address) && !this.#spread.get(ttl)?.has(answer!.address);
  }

  /** The old address came back: the ones seen in between take turns with it. */
  #join(now: Version, ttl: number): void {
    const hop = now.hops.get(ttl);
    for (const round of this.#held) {
      const address = round.find((r) => r.ttl === ttl)?.answer?.address;
      if (hop && address !== undefined && !hop.addresses.has(address)) hop.addresses.set(address, 0);
    }
  }

  /** Nothing came of it: what was held back belongs to the version as it was. */
  #decide(version: Version): void {
    for (const round of this.#held.splice(0)) apply(version, round);
    this.#differing.clear();
  }

  #changed(from: Version): RouteChange {
    const atMs = this.#held[0]?.[0]?.atMs ?? from.lastMs;
    const known = this.versions.find((v) => v !== from && this.#held.every((round) => this.#fits(v, round)));
    const to = known ?? this.#newVersion();
    this.#current = to;
    this.#turns.clear();
    this.#decide(to);
    return { atMs, from, to };
  }

  #fits(version: Version, round: Round): boolean {
    return round.every((record) => record.answer === null || !this.#isNew(version, record));
  }

  /** Addresses that took turns and do so no longer, settled on one that was the rarer: a change, seen late. */
  #settled(now: Version, round: Round): RouteChange | null {
    let change: RouteChange | null = null;
    for (const { ttl, answer, atMs } of round) {
      if (!answer) continue;
      const turn = this.#turns.get(ttl);
      const times = turn?.address === answer.address ? turn.times + 1 : 1;
      this.#turns.set(ttl, { address: answer.address, times });
      const addresses = now.hops.get(ttl)!.addresses;
      if (times < roundsForSettling || addresses.size < 2) continue;
      const most = [...addresses].sort((a, b) => b[1] - a[1])[0]![0];
      if (most !== answer.address) change ??= { atMs, from: now, to: this.#newVersion() };
    }
    if (change) {
      this.#current = change.to;
      this.#turns.clear();
      apply(change.to, round);
    }
    return change;
  }

  #newVersion(): Version {
    const version = { hops: new Map<number, HopTally>(), rounds: 0, firstMs: Infinity, lastMs: -Infinity };
    this.versions.push(version);
    return version;
  }
}

/** TTLs at which the target answered; several where ways of different lengths take turns. */
function endsOf({ hops }: Version): number[] {
  return [...hops.values()].flatMap((hop) => (hop.isTarget ? [hop.ttl] : []));
}

/** Rounds after which a hop that was silent is known to be silent, and a target that answers there has moved. */
const roundsUnsettled = 3;

/**
 * Where the probe that should reach the target is lost, the target answers the next one, and the path looks one hop longer. Was
 * that so in the first rounds, it is put right when the target answers from nearer: those hops were never there.
 */
function foldTarget(version: Version, round: Round): void {
  const last = round.at(-1);
  if (last?.answer?.end !== 'target') return;
  const hop = version.hops.get(last.ttl);
  const ends = endsOf(version);
  if (!hop || hop.addresses.size > 0 || hop.sent > roundsUnsettled || last.ttl >= Math.min(...ends)) return;
  for (const ttl of version.hops.keys()) if (ttl > last.ttl) version.hops.delete(ttl);
}

/** The same later: behind a target that did not answer, its next answer is an echo of it and no hop. */
function withoutEcho(version: Version, round: Round): Round {
  const end = Math.max(...endsOf(version));
  const isLost = round.some((r) => r.ttl === end && r.answer === null);
  return isLost ? round.filter((r) => r.ttl <= end) : round;
}

function apply(version: Version, whole: Round): void {
  const round = withoutEcho(version, whole);
  version.rounds++;
  for (const record of round) tally(version, record);
  const last = round.at(-1);
  if (!last) return;
  version.firstMs = Math.min(version.firstMs, round[0]!.atMs);
  version.lastMs = Math.max(version.lastMs, last.atMs);
  // Somebody on the way said that there is no way: for the hops behind, that is a probe without an answer.
  if (last.answer?.end === 'unreachable')
    for (const ttl of version.hops.keys()) if (ttl > last.ttl) tally(version, { ...last, ttl, answer: null });
}

function tally(version: Version, record: TraceRecord): void {
  let hop = version.hops.get(record.ttl);
  if (!hop) version.hops.set(record.ttl, (hop = makeTally(record.ttl)));
  tallyProbe(hop, record);
}
