import { bucketQuantile, bucketsFor, halfOctave } from './log-buckets.ts';

/** Round trips of one direction, in steps of a 64th of a millisecond. */
const buckets = bucketsFor(24);
const stepsPerMs = 64;
const mostSteps = 2 ** 24 - 1;
/** Edges without which nothing is said, and the share of them that has to follow the rules of spinning. */
const edgesNeeded = 8;
const consistentNeeded = 0.9;
/** An edge sooner after the one before than this share of the shortest round trip is one of reordering (RFC 9312 section 3.8.2.1). */
const tooSoon = 0.1;
/** Packets per edge below which a single direction cannot be told from bits at random. */
const packetsPerEdge = 4;

export interface SpinTimes {
  samples: number;
  minMs: number;
  p50Ms: number;
  p90Ms: number;
}

export type Spin =
  | {
      kind: 'spins';
      client: SpinTimes;
      server: SpinTimes | null;
      beyondTap: { toServerMinMs: number | null; toClientMinMs: number | null };
    }
  | { kind: 'does-not-spin'; why: string };

/**
 * The latency spin bit (RFC 9000 section 17.4): the server repeats what it saw last, the client turns it, so that it changes once per
 * round trip. It is optional, and ends that do not want it send a constant or random bits. So the edges themselves are asked: one of
 * the server has to bring the value that the client had last, one of the client the opposite of the server's; random bits do so half of
 * the time. Round trips are from edge to edge, and too long where an end had nothing to send.
 */
export class SpinBit {
  readonly #value = [-1, -1];
  readonly #edgeMs = [NaN, NaN];
  readonly #packets = [0, 0];
  readonly #edges = [0, 0];
  readonly #consistent = [0, 0];
  readonly #minMs = [Infinity, Infinity];
  /** From an edge of the other direction to the one that it causes: [client's edge → server's, server's edge → client's]. */
  readonly #partMs = [Infinity, Infinity];
  readonly #counts = new Uint32Array(2 * buckets);

  add(spin: boolean, timeMs: number, fromClient: boolean): void {
    const side = fromClient ? 0 : 1;
    const value = spin ? 1 : 0;
    this.#packets[side]!++;
    const before = this.#value[side]!;
    if (value === before) return;
    if (before < 0) {
      this.#value[side] = value;
      return;
    }
    const sinceMs = timeMs - this.#edgeMs[side]!;
    if (sinceMs < tooSoon * this.#minMs[side]! && this.#minMs[side]! < Infinity) return;
    this.#value[side] = value;
    this.#edge(side, value, timeMs, sinceMs);
  }

  #edge(side: 0 | 1, value: number, timeMs: number, sinceMs: number): void {
    const other = 1 - side;
    this.#edges[side]!++;
    const expected = side === 1 ? this.#value[0]! : 1 - this.#value[1]!;
    if (this.#value[other]! >= 0 && value === expected) {
      // The edge that caused it has to be newer than the last of this side: else it is a coincidence.
      const isCaused = !(this.#edgeMs[other]! <= this.#edgeMs[side]!);
      if (isCaused) this.#consistent[side]!++;
      const partMs = timeMs - this.#edgeMs[other]!;
      if (isCaused && partMs >= 0) this.#partMs[1 - side] = Math.min(this.#partMs[1 - side]!, partMs);
    }
    this.#edgeMs[side] = timeMs;
    if (!(sinceMs >= 0)) return;
    this.#minMs[side] = Math.min(this.#minMs[side]!, sinceMs);
    const step = Math.min(mostSteps, Math.round(stepsPerMs * sinceMs));
    this.#counts[side * buckets + Math.min(buckets - 1, halfOctave(step))]!++;
  }

  result(): Spin {
    const [client, server] = [this.#edges[0]!, this.#edges[1]!];
    if (this.#packets[0]! + this.#packets[1]! === 0) return no('no packet with a short header');
    if (client === 0 && server === 0) return no('the bit never changes');
    const both = this.#packets[0]! > 0 && this.#packets[1]! > 0;
    if (client + server < edgesNeeded) return no(`only ${client + server} changes of the bit`);
    const why = both ? this.#inconsistency() : this.#oneSided();
    if (why !== null) return no(why);
    const times = [this.#times(0), this.#times(1)] as const;
    const main = times[0] ?? times[1];
    if (!main) return no('no round trip was completed');
    const finite = (ms: number) => (ms < Infinity ? ms : null);
    return {
      kind: 'spins',
      client: main,
      server: times[0] ? times[1] : null,
      beyondTap: { toServerMinMs: finite(this.#partMs[0]!), toClientMinMs: finite(this.#partMs[1]!) },
    };
  }

  #inconsistency(): string | null {
    const edges = this.#edges[0]! + this.#edges[1]!;
    const share = (this.#consistent[0]! + this.#consistent[1]!) / edges;
    if (share >= consistentNeeded) return null;
    return `the bit changes at random: ${Math.round(100 * share)} % of its changes follow the other end's`;
  }

  #oneSided(): string | null {
    const side = this.#packets[0]! > 0 ? 0 : 1;
    if (this.#packets[side]! >= packetsPerEdge * this.#edges[side]!) return null;
    return 'one direction only, and the bit changes too often to be told from a random one';
  }

  #times(side: 0 | 1): SpinTimes | null {
    const quantile = (p: number) => bucketQuantile(this.#counts, side * buckets, buckets, p);
    const [p50, p90] = [quantile(0.5), quantile(0.9)];
    if (p50 === null || p90 === null) return null;
    let samples = 0;
    for (let i = 0; i < buckets; i++) samples += this.#counts[side * buckets + i]!;
    const minMs = this.#minMs[side]!;
    return { samples, minMs, p50Ms: Math.max(minMs, p50 / stepsPerMs), p90Ms: Math.max(minMs, p90 / stepsPerMs) };
  }
}

function no(why: string): Spin {
  return { kind: 'does-not-spin', why };
}
