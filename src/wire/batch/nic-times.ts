import { Counter, ProbeState } from './columns.ts';
import type { Flight } from './flight.ts';

/** The clock of the card and ours may drift apart by so much during a round trip, and our own stamps be off by so much, ms. */
const DRIFT = 1e-3;
const SLACK_MS = 0.02;

/**
 * Stamps of the network card, by probe. A round trip is taken from them only where the card stamped both the probe and its answer:
 * its clock has nothing to do with that of the kernel. Beyond the stamps of the kernel lies nothing but this host, so a round trip of
 * the card is never longer; one that is, or is negative, comes from a clock that was set, and is left alone.
 */
export class NicTimes {
  readonly #flight: Flight;
  readonly #txMs: Float64Array;
  readonly #rxMs: Float64Array;
  #baseSec = NaN;

  constructor(flight: Flight) {
    this.#flight = flight;
    this.#txMs = new Float64Array(flight.mask + 1).fill(NaN);
    this.#rxMs = new Float64Array(flight.mask + 1).fill(NaN);
  }

  /** A new probe takes the place of an old one in the ring. */
  forget(probe: number): void {
    const slot = probe & this.#flight.mask;
    this.#txMs[slot] = NaN;
    this.#rxMs[slot] = NaN;
  }

  sent(probe: number, sec: number, nsec: number): void {
    this.#txMs[probe & this.#flight.mask] = this.#toMs(sec, nsec);
    this.#settle(probe);
  }

  /** After the answer is in the books: the card may tell of the probe before or after it. */
  received(probe: number, sec: number, nsec: number): void {
    this.#rxMs[probe & this.#flight.mask] = this.#toMs(sec, nsec);
    this.#settle(probe);
  }

  #toMs(sec: number, nsec: number): number {
    if (Number.isNaN(this.#baseSec)) this.#baseSec = sec;
    return (sec - this.#baseSec) * 1e3 + nsec / 1e6;
  }

  #settle(probe: number): void {
    const { columns, mask } = this.#flight;
    const ms = this.#rxMs[probe & mask]! - this.#txMs[probe & mask]!;
    const target = this.#flight.targetOf(probe);
    const cell = target * columns.rounds + (probe - target) / columns.targets;
    const state = columns.state[cell];
    if (state !== ProbeState.answered && state !== ProbeState.refused) return;
    const kernelMs = columns.rttMs[cell]!;
    // NaN, of a stamp that is missing, is in no range.
    if (!(ms >= 0 && ms <= kernelMs * (1 + DRIFT) + SLACK_MS)) return;
    columns.rttMs[cell] = ms;
    columns.counters[Counter.nicStamped]!++;
    this.forget(probe);
  }
}
