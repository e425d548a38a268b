/** What is known of one flow at one TTL. */
export interface Cell {
  flow: number;
  sent: number;
  flying: number;
  received: number;
  /** Different addresses that answered, first one first: more than one only behind a per-packet balancer or a route change. */
  addresses: string[];
  /** All answers said that the path of this flow is over here: the target, or a router that does not forward. */
  ended: boolean;
  /** Addresses that said so. */
  endings: string[];
}

/** An address seen so often by one flow means that packets go round in a circle. */
const LOOP_SIGHTINGS = 3;

/** Everything that discovery has learnt, by TTL and flow; what to send next and what to report are functions of it. */
export class Table {
  /** Counts changes, so that plans are made only when something is new. */
  version = 0;
  readonly #rows: Map<number, Cell>[] = [];
  readonly #ends = new Map<number, number>();
  #highest = 0;

  row(ttl: number): ReadonlyMap<number, Cell> {
    return (this.#rows[ttl] ??= new Map());
  }

  cell(ttl: number, flow: number): Cell | undefined {
    return this.#rows[ttl]?.get(flow);
  }

  /** Highest TTL at which anybody answered; 0 when nobody did. */
  get reach(): number {
    return this.#highest;
  }

  /** TTL at which the path of the flow is over; Infinity while that is not known. */
  endOf(flow: number): number {
    return this.#ends.get(flow) ?? Number.POSITIVE_INFINITY;
  }

  sent(ttl: number, flow: number): void {
    const row = (this.#rows[ttl] ??= new Map());
    const cell = row.get(flow) ?? { flow, sent: 0, flying: 0, received: 0, addresses: [], ended: false, endings: [] };
    cell.sent++;
    cell.flying++;
    row.set(flow, cell);
    this.version++;
  }

  /** Nothing came in time, which an answer may still disprove. */
  missed(ttl: number, flow: number): void {
    const cell = this.cell(ttl, flow);
    if (cell === undefined || cell.flying === 0) return;
    cell.flying--;
    this.version++;
  }

  /**
   * @param ends the answer says that the path is over
   * @param late it had been given up as missed
   */
  answered(ttl: number, flow: number, address: string, { ends, late }: { ends: boolean; late: boolean }): void {
    const cell = this.cell(ttl, flow);
    if (cell === undefined) return;
    if (!late) cell.flying = Math.max(0, cell.flying - 1);
    const over = ends || this.#circles(flow, ttl, address);
    cell.ended = over && (cell.received === 0 || cell.ended);
    cell.received++;
    if (!cell.addresses.includes(address)) cell.addresses.push(address);
    if (over && !cell.endings.includes(address)) cell.endings.push(address);
    this.#noteEnd(flow, ttl, cell.ended);
    this.#highest = Math.max(this.#highest, this.#isBeyond(ttl, flow) ? 0 : ttl);
    this.version++;
  }

  /** Answers to probes that overshot the end of their path belong to the end, not to a hop behind it. */
  #isBeyond(ttl: number, flow: number): boolean {
    return ttl > this.endOf(flow);
  }

  #noteEnd(flow: number, ttl: number, ended: boolean): void {
    const known = this.endOf(flow);
    if (ended && ttl < known) {
      this.#ends.set(flow, ttl);
      this.#fold();
    } else if (!ended && ttl === known) this.#ends.delete(flow);
  }

  /** After an end became known: the highest TTL may have been one beyond it. */
  #fold(): void {
    while (this.#highest > 0 && ![...this.row(this.#highest).values()].some((cell) => this.#counts(cell))) {
      this.#highest--;
    }
  }

  #counts(cell: Cell): boolean {
    return cell.received > 0 && !this.#isBeyond(this.#highest, cell.flow);
  }

  #circles(flow: number, ttl: number, address: string): boolean {
    let sightings = 1;
    for (let below = ttl - 1; below > 0; below--) {
      if (this.cell(below, flow)?.addresses.includes(address)) sightings++;
    }
    return sightings >= LOOP_SIGHTINGS;
  }
}
