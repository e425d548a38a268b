import { checksumFold } from '../ip.ts';

/**
 * Probes on the way by the 16-bit mark that they carry. Marks go round from 1: zero would mean "no checksum" where the mark is
 * one, and 65,535 is what one's complement arithmetic may turn zero into.
 */
export class InFlight {
  readonly #probes = new Map<number, { id: number; flow: number }>();
  readonly #marks = new Map<number, number>();
  #next = 0;

  add(id: number, flow: number): number {
    const mark = (this.#next++ % 65_534) + 1;
    const before = this.#probes.get(mark);
    if (before !== undefined) this.#marks.delete(before.id);
    this.#probes.set(mark, { id, flow });
    this.#marks.set(id, mark);
    return mark;
  }

  byMark(mark: number | null): { id: number; flow: number } | undefined {
    return mark === null ? undefined : this.#probes.get(mark);
  }

  /** The probe of a flow that an answer without mark must belong to: the only one, or none. */
  soleOf(flow: number): { id: number; flow: number } | undefined {
    const of = [...this.#probes.values()].filter((probe) => probe.flow === flow);
    return of.length === 1 ? of[0] : undefined;
  }

  forget(id: number): void {
    const mark = this.#marks.get(id);
    if (mark !== undefined) this.#probes.delete(mark);
    this.#marks.delete(id);
  }
}

/** The 16 bits that make a checksum come out as `wanted` over a sum so far. */
export function counterweight(sum: number, wanted: number): number {
  // One's complement: sum + x ≡ ~wanted, so x ≡ ~wanted + ~sum.
  const missing = (~wanted & 0xffff) + checksumFold(sum);
  return (missing & 0xffff) + (missing >>> 16);
}
