import { markSoleFirstHop, type SoleFirstHop } from './first-hop.ts';
import { widenByNode } from './node-control.ts';
import { checkRepeats } from './per-packet.ts';
import { addressAt, onlyEnds, predecessors, rowOf, rowsOf, successors, type Row } from './rows.ts';
import { addSpread } from './spread.ts';
import { flowsNeeded } from './stopping.ts';
import type { Cell, Table } from './table.ts';
import { Wishes, type Wish } from './wishes.ts';

export interface PlanOptions {
  algorithm: 'single' | 'mda-lite' | 'mda';
  confidence: number;
  firstTtl: number;
  maxTtl: number;
  /** Stop after so many silent hops in a row. */
  silentHops: number;
  maxFlows: number;
  soleFirstHop?: SoleFirstHop;
}

/**
 * How many TTLs the first flow runs ahead of its answers: two save round trips and may send one probe beyond the end. Paths
 * that are over after a few hops are quick anyway, so one will do; not where a hop is silent, which takes a wait to know.
 */
const AHEAD = { near: 1, far: 2, farFromTtl: 8 } as const;
/** Probes for one flow at one hop: that hop has answered others, the scout's, the rest. */
const ATTEMPTS = { answeringHop: 3, scout: 2, silentHop: 1 } as const;
/** Flows that a vertex must be seen with before a pair of hops counts as unmeshed (φ of MDA-Lite). */
const PHI = 2;
/** Flows that are tried at once for a vertex with too few: one for so many vertices that they could come to. */
const MORE_AT_ONCE = 4;

/**
 * What to send next, as a function of what is known (MDA: Augustin et al. 2007; MDA-Lite: Vermeulen et al. 2018). Asked again after
 * every answer, so that any number of probes can be on the way. Everything is done hop by hop, as MDA-Lite does, until a pair of
 * hops turns out meshed or uneven; the hops around it are then searched node by node.
 */
export class Plan {
  /** Why some hops are searched node by node though hop by hop was asked for; null while none are. */
  fallback: 'meshing' | 'asymmetry' | null = null;
  readonly #table: Table;
  readonly #options: PlanOptions;
  /** Hops whose successors are searched node by node. */
  readonly #byNode = new Set<number>();
  /** Hops at whose border flows seemed to mesh: to be told from packets that are spread one by one. */
  readonly #suspects = new Set<number>();
  #wishes: Wishes;

  constructor(table: Table, options: PlanOptions) {
    this.#table = table;
    this.#options = options;
    this.#wishes = new Wishes(table, options.maxFlows);
  }

  /** Every stopping rule that is met by now was met within the number of flows. */
  get unlimited(): boolean {
    return !this.#wishes.refused;
  }

  /** Probes worth sending now, most wanted first; none when there is nothing left to ask or all of it is on the way. */
  wishes(): Wish[] {
    this.#wishes = new Wishes(this.#table, this.#options.maxFlows);
    this.#scout();
    const rows = this.#rows();
    rows.forEach((row) => this.#again(row));
    if (this.#options.algorithm !== 'single') {
      this.#searchHops(rows);
      this.#compareHops(rows);
      checkRepeats(this.#wishes, this.#table, rows, this.#suspects);
    }
    return this.#wishes.list;
  }

  #rows(): Row[] {
    const { firstTtl } = this.#options;
    const rows = rowsOf(this.#table, firstTtl, this.#table.reach);
    markSoleFirstHop(rows, this.#options.soleFirstHop ?? (() => false));
    return rows;
  }

  /** One flow explores how far the path goes: a few hops ahead of its answers, and not beyond a run of silent hops. */
  #scout(): void {
    const { firstTtl, maxTtl, silentHops } = this.#options;
    const reach = Math.max(this.#table.reach, firstTtl - 1);
    const flow = reach < firstTtl ? 0 : this.#leader(reach);
    if (flow === null) return;
    const last = Math.min(maxTtl, reach + silentHops, this.#table.endOf(flow));
    let open = 0;
    let ahead: number = AHEAD.near;
    for (let ttl = firstTtl; ttl <= last && open < ahead; ttl++) {
      const cell = this.#table.cell(ttl, flow);
      if (ttl >= AHEAD.farFromTtl || isSilent(cell)) ahead = AHEAD.far;
      if (cell !== undefined && (cell.received > 0 || this.#triedOut(cell.sent, cell.flying, ttl > reach))) continue;
      // Hops behind it that this flow skipped belong to the search below; only what lies ahead is scouted.
      if (ttl <= reach && flow !== 0) continue;
      open++;
      if ((cell?.flying ?? 0) === 0) this.#wishes.add(ttl, flow);
    }
  }

  #triedOut(sent: number, flying: number, ahead: boolean): boolean {
    return flying === 0 && sent >= (ahead ? ATTEMPTS.scout : ATTEMPTS.silentHop);
  }

  /** The lowest flow that was seen at this hop and goes on behind it. */
  #leader(ttl: number): number | null {
    const going = rowOf(this.#table, ttl).cells.filter((cell) => cell.received > 0 && !cell.ended);
    return going.length === 0 ? null : Math.min(...going.map(({ flow }) => flow));
  }

  /** Flows that stayed without an answer where others got one: lost, or over the limit of the router. */
  #again(row: Row): void {
    // A host may limit what it says; that one flow comes there is all that has to be known.
    if (onlyEnds(row.cells)) return;
    const first = Math.min(...row.cells.map(({ flow }) => flow));
    for (const cell of row.cells) {
      const silent = cell.flow === first ? ATTEMPTS.scout : ATTEMPTS.silentHop;
      const attempts = row.answered > 0 ? ATTEMPTS.answeringHop : silent;
      if (cell.received === 0 && cell.flying === 0 && cell.sent < attempts) this.#wishes.add(row.ttl, cell.flow);
    }
  }

  #searchHops(rows: readonly Row[]): void {
    const { confidence, algorithm } = this.#options;
    for (const [i, row] of rows.entries()) {
      const near = rows[i - 1];
      const byNode = algorithm === 'mda' || this.#byNode.has(row.ttl - 1);
      const controlled = near !== undefined && near.vertices.size > 0 && !near.perPacket && !row.perPacket;
      if (byNode && controlled && !near.passedByAll) widenByNode(this.#wishes, this.#table, near, row, confidence);
      else this.#widenHop(row, near);
    }
  }

  /** The stopping rule over all flows that come to this hop, wherever from. */
  #widenHop(row: Row, near: Row | undefined): void {
    const sure = row.passedByAll || onlyEnds(row.cells);
    const needed = sure ? 1 : flowsNeeded(row.vertices.size, this.#options.confidence);
    if (row.perPacket) return this.#wishes.repeat(row.ttl, row.cells, needed - row.samples - row.flying);
    const counted = row.answered + (row.answered === 0 ? row.silent : 0) + this.#wishes.openAt(row);
    const missing = needed - counted;
    if (near === undefined || near.vertices.size < 2 || near.perPacket) this.#wishes.addFlows(row.ttl, missing);
    // Which flows are worth asking here is known when it is known where they were before; silence could take for ever.
    else if (near.silent > 0 || !this.#wishes.isOpenAt(near.ttl)) {
      addSpread(this.#wishes, this.#table, near, row, { missing, needed });
    }
  }

  /** For each pair of hops: every node known with a neighbour on the other side; then meshing and evenness (MDA-Lite §3). */
  #compareHops(rows: readonly Row[]): void {
    for (let i = 0; i + 1 < rows.length; i++) {
      const [near, far] = [rows[i]!, rows[i + 1]!];
      if (near.perPacket || far.perPacket) continue;
      this.#linkAll(near, far);
      if (near.vertices.size < 2 || far.vertices.size < 2) {
        if (near.endsForSome) this.#giveUpLite(rows, i, 'asymmetry');
        continue;
      }
      this.#seeTwice(near, far);
      const settled = !this.#wishes.isOpenAt(near.ttl) && !this.#wishes.isOpenAt(far.ttl);
      // While nodes are still to be found, which hop is the wider one is not known.
      const trouble = settled ? this.#trouble(near, far) : null;
      if (trouble === 'meshing') [near.ttl, far.ttl].forEach((ttl) => this.#suspects.add(ttl));
      if (trouble !== null) this.#giveUpLite(rows, i, trouble);
    }
  }

  #linkAll(near: Row, far: Row): void {
    for (const vertex of far.vertices.keys()) {
      const linked = near.passedByAll || predecessors(this.#table, far, vertex).size > 0;
      if (!linked) this.#wishes.addOneOf(near.ttl, far.vertices.get(vertex)!);
    }
    for (const [vertex, flows] of near.vertices) {
      const going = flows.filter((flow) => this.#table.endOf(flow) > near.ttl);
      if (going.length > 0 && successors(this.#table, near, vertex).size === 0) this.#wishes.addOneOf(far.ttl, going);
    }
  }

  /** From the wider hop to the narrower one: φ flows per vertex, or meshing could hide behind one lucky flow. */
  #seeTwice(near: Row, far: Row): void {
    const [wide, narrow] = near.vertices.size >= far.vertices.size ? [near, far] : [far, near];
    for (const flows of wide.vertices.values()) {
      const going = flows.filter((flow) => this.#table.endOf(flow) >= narrow.ttl);
      const seen = going.filter((flow) => addressAt(this.#table, narrow.ttl, flow) !== null).length;
      for (let missing = PHI - seen; missing > 0; missing--) {
        const few = !this.#wishes.addOneOf(narrow.ttl, going) && going.length < PHI && going.length === flows.length;
        // Nodes before the narrower hop are asked evenly anyway; of the wider hop behind, more flows are looked for, a few at once.
        if (few && wide === far && !this.#wishes.isOpenAt(wide.ttl)) {
          this.#wishes.addFlows(wide.ttl, Math.ceil(wide.vertices.size / MORE_AT_ONCE));
        }
      }
    }
  }

  #trouble(near: Row, far: Row): Plan['fallback'] {
    const out = [...near.vertices.keys()].map((vertex) => successors(this.#table, near, vertex).size);
    const back = [...far.vertices.keys()].map((vertex) => predecessors(this.#table, far, vertex).size);
    const widens = near.vertices.size < far.vertices.size;
    if ((widens ? back : out).some((degree) => degree > 1)) return 'meshing';
    if (near.endsForSome) return 'asymmetry';
    const degrees = widens ? out : back;
    return near.vertices.size !== far.vertices.size && new Set(degrees).size > 1 ? 'asymmetry' : null;
  }

  /** The whole diamond around the pair, from the hop where it opens, is searched node by node from now on. */
  #giveUpLite(rows: readonly Row[], index: number, why: 'meshing' | 'asymmetry'): void {
    if (this.#options.algorithm === 'mda') return;
    this.fallback ??= why;
    let from = index;
    while (from > 0 && rows[from]!.vertices.size > 1) from--;
    for (let i = from; i < rows.length; i++) {
      this.#byNode.add(rows[i]!.ttl);
      if (i > index && rows[i]!.vertices.size < 2) break;
    }
  }
}

/** Asked, and so far in vain. */
function isSilent(cell: Cell | undefined): boolean {
  return cell !== undefined && cell.received === 0 && cell.sent > cell.flying;
}
