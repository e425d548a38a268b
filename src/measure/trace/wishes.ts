import type { Row } from './rows.ts';
import type { Cell, Table } from './table.ts';

export interface Wish {
  ttl: number;
  flow: number;
}

/** Probes that are wanted now: each once, none that is on the way, none beyond the end of its flow or the number of flows. */
export class Wishes {
  readonly list: Wish[] = [];
  /** More flows were wanted than may be used. */
  refused = false;
  readonly #table: Table;
  readonly #maxFlows: number;
  readonly #keys = new Set<number>();

  constructor(table: Table, maxFlows: number) {
    this.#table = table;
    this.#maxFlows = maxFlows;
  }

  /** @returns false when it cannot be wanted */
  add(ttl: number, flow: number): boolean {
    const key = ttl * 65_536 + flow;
    if (flow >= this.#maxFlows || this.#keys.has(key)) return false;
    if ((this.#table.cell(ttl, flow)?.flying ?? 0) > 0 || ttl > this.#table.endOf(flow)) return false;
    this.#keys.add(key);
    this.list.push({ ttl, flow });
    return true;
  }

  /** The first of these flows that was not sent at this TTL yet. @returns false when there is none */
  addOneOf(ttl: number, flows: readonly number[]): boolean {
    // One that is wanted or on the way already will do.
    if (flows.some((flow) => this.#isOpen(ttl, flow))) return true;
    const flow = flows.find((one) => this.#table.cell(ttl, one) === undefined);
    return flow !== undefined && this.add(ttl, flow);
  }

  /** As many of these flows as are not sent at this TTL yet, at most `count`. @returns how many */
  addSome(ttl: number, flows: readonly number[], count: number): number {
    let added = 0;
    for (const flow of flows) {
      if (added >= count) break;
      if (this.#table.cell(ttl, flow) === undefined && this.add(ttl, flow)) added++;
    }
    return added;
  }

  /** `count` flows that were not sent at this TTL yet, lowest first, so that hops share their flows. */
  addFlows(ttl: number, count: number): void {
    let missing = count;
    for (let flow = 0; missing > 0; flow++) {
      if (flow >= this.#maxFlows) {
        this.refused = true;
        return;
      }
      if (this.#table.cell(ttl, flow) === undefined && this.add(ttl, flow)) missing--;
    }
  }

  /** Flows that were answered here once more, those with the fewest answers first. */
  repeat(ttl: number, cells: readonly Cell[], count: number): void {
    const fewest = cells.filter((cell) => cell.received > 0).sort(byAnswers);
    for (let i = 0; i < Math.min(count, fewest.length); i++) this.add(ttl, fewest[i]!.flow);
  }

  /** Probes for this hop that are wanted or on the way and may bring the first answer of their flow. */
  openAt(row: Row): number {
    const wanted = this.list.filter(
      ({ ttl, flow }) => ttl === row.ttl && (this.#table.cell(ttl, flow)?.received ?? 0) === 0,
    );
    return row.flying + wanted.length;
  }

  wants(ttl: number, flow: number): boolean {
    return this.#keys.has(ttl * 65_536 + flow);
  }

  /** Whether anything is wanted or on the way at this TTL. */
  isOpenAt(ttl: number): boolean {
    if (this.list.some((wish) => wish.ttl === ttl)) return true;
    for (const cell of this.#table.row(ttl).values()) if (cell.flying > 0) return true;
    return false;
  }

  #isOpen(ttl: number, flow: number): boolean {
    const cell = this.#table.cell(ttl, flow);
    return this.#keys.has(ttl * 65_536 + flow) || (cell !== undefined && cell.flying > 0 && cell.received === 0);
  }
}

function byAnswers(a: Cell, b: Cell): number {
  return a.received - b.received || a.flow - b.flow;
}
