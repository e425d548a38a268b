import type { FlowDirection, MatrixCell, TrafficClass, TrafficMatrix } from '../../../model/capture/pattern.ts';
import { isoTime } from '../iso-time.ts';

const hourMs = 3_600_000;
/** Cells that are kept apart while it runs, and those that are listed. */
const mostKept = 4096;
const mostListed = 100;

export interface MatrixFlow {
  from: string;
  to: string;
  class: TrafficClass;
  direction: FlowDirection;
  octets: readonly [forth: number, back: number];
  /** Since the beginning of the capture. */
  firstMs: number;
  lastMs: number;
}

interface Sum {
  flows: number;
  forthBytes: number;
  backBytes: number;
  hours: number[];
}

/** Who talks to whom: sums over flows, of a bounded number of pairs. */
export class Matrix {
  readonly #cells = new Map<string, MatrixCell>();
  readonly #beyond: Sum & { cells: number } = { cells: 0, ...emptySum() };
  readonly #startEpochMs: number | null;
  #firstMs = Infinity;
  #lastMs = -Infinity;

  /** @param startEpochMs time of the first packet of the capture; null: packets have no times */
  constructor(startEpochMs: number | null) {
    this.#startEpochMs = startEpochMs;
  }

  add(flow: MatrixFlow): void {
    this.#firstMs = Math.min(this.#firstMs, flow.firstMs);
    this.#lastMs = Math.max(this.#lastMs, flow.lastMs);
    const sum = this.#cellOf(flow);
    sum.flows++;
    sum.forthBytes += flow.octets[0];
    sum.backBytes += flow.octets[1];
    if (this.#startEpochMs !== null)
      spread(
        sum.hours,
        flow.octets[0] + flow.octets[1],
        this.#startEpochMs + flow.firstMs,
        this.#startEpochMs + flow.lastMs,
      );
  }

  #cellOf({ from, to, class: kind, direction }: MatrixFlow): Sum {
    const key = JSON.stringify([from, to, kind, direction]);
    const known = this.#cells.get(key);
    if (known) return known;
    if (this.#cells.size >= mostKept) return this.#beyond;
    const cell: MatrixCell = { from, to, class: kind, direction, ...emptySum() };
    this.#cells.set(key, cell);
    return cell;
  }

  /** Sums per class over all cells; what was beyond the room is not in them. */
  classes(): { class: TrafficClass; flows: number; forthBytes: number; backBytes: number }[] {
    const sums = new Map<TrafficClass, { flows: number; forthBytes: number; backBytes: number }>();
    for (const { class: kind, flows, forthBytes, backBytes } of this.#cells.values()) {
      const sum = sums.get(kind) ?? { flows: 0, forthBytes: 0, backBytes: 0 };
      sums.set(kind, {
        flows: sum.flows + flows,
        forthBytes: sum.forthBytes + forthBytes,
        backBytes: sum.backBytes + backBytes,
      });
    }
    return [...sums].map(([kind, sum]) => ({ class: kind, ...sum })).sort((a, b) => bytesOf(b) - bytesOf(a));
  }

  report(most = mostListed): TrafficMatrix {
    const cells = [...this.#cells.values()].sort((a, b) => bytesOf(b) - bytesOf(a));
    const rest = { ...this.#beyond, hours: [...this.#beyond.hours] };
    for (const cell of cells.slice(most)) {
      rest.cells++;
      rest.flows += cell.flows;
      rest.forthBytes += cell.forthBytes;
      rest.backBytes += cell.backBytes;
      for (const [hour, octets] of cell.hours.entries()) rest.hours[hour]! += octets;
    }
    const how = ['octets of a flow are spread evenly over its time'];
    if (this.#beyond.flows > 0)
      how.push(
        `there was room for ${mostKept} pairs: ${this.#beyond.flows} flows of further ones are only in the rest`,
      );
    if (this.#startEpochMs === null) how.push('packets have no times: nothing is known of hours');
    return { ...this.#span(), cells: cells.slice(0, most), rest: rest.flows > 0 ? rest : null, how };
  }

  #span(): Pick<TrafficMatrix, 'startedAt' | 'endedAt' | 'hoursSeen'> {
    const start = this.#startEpochMs;
    if (start === null || this.#lastMs < this.#firstMs) return { startedAt: null, endedAt: null, hoursSeen: [] };
    const [from, to] = [start + this.#firstMs, start + this.#lastMs];
    return {
      startedAt: isoTime(from),
      endedAt: isoTime(to),
      hoursSeen: hoursBetween(from, to),
    };
  }
}

function emptySum(): Sum {
  return { flows: 0, forthBytes: 0, backBytes: 0, hours: Array<number>(24).fill(0) };
}

function bytesOf({ forthBytes, backBytes }: { forthBytes: number; backBytes: number }): number {
  return forthBytes + backBytes;
}

function hoursBetween(fromMs: number, toMs: number): number[] {
  const [first, last] = [Math.floor(fromMs / hourMs), Math.floor(toMs / hourMs)];
  const hours = new Set<number>();
  for (let hour = first; hour <= last && hours.size < 24; hour++) hours.add(modulo(hour));
  return [...hours].sort((a, b) => a - b);
}

/** Adds octets to the hours of the day in proportion to the time that lies in each. */
function spread(hours: number[], octets: number, fromMs: number, toMs: number): void {
  const [first, last] = [Math.floor(fromMs / hourMs), Math.floor(toMs / hourMs)];
  if (first === last) {
    hours[modulo(first)]! += octets;
    return;
  }
  const span = toMs - fromMs;
  const days = Math.floor(span / (24 * hourMs));
  // Whole days touch every hour alike: they are not walked through, however wrong the clock of an exporter.
  const wholeMs = days * 24 * hourMs;
  for (let hour = 0; hour < 24; hour++) hours[hour]! += (octets * days * hourMs) / span;
  for (let hour = first; hour <= last - 24 * days; hour++) {
    const begin = Math.max(fromMs, hour * hourMs);
    const end = Math.min(toMs - wholeMs, (hour + 1) * hourMs);
    if (end > begin) hours[modulo(hour)]! += (octets * (end - begin)) / span;
  }
}

function modulo(hour: number): number {
  return ((hour % 24) + 24) % 24;
}
