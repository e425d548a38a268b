const CELLS_AT_FIRST = 4096;
const PARTS_AT_FIRST = 2048;

/**
 * Parts of roll-ups in memory: sums by key, and counts by bucket of each (none for parts that count samples: `n` says it).
 * Everything stands in flat arrays behind hash tables with open addresses, so that a hundred thousand samples a second leave
 * nothing behind for the collector of garbage. A table where parts have few values each, `isLog`, has a cell for each value and
 * saves the second table; whoever reads cells has to add them up anyway.
 */
export class PartTable {
  /** Number of parts, and of cells. */
  size = 0;
  cells = 0;
  /** The first minute that any part speaks of. */
  firstMinute = Infinity;
  minute: Float64Array;
  endpoint: Int32Array;
  agent: Int32Array;
  /** Kind, verdict and metric, an octet each. */
  code: Int32Array;
  n: Float64Array;
  total: Float64Array;
  low: Float64Array;
  high: Float64Array;
  cellPart: Int32Array;
  cellBucket: Int32Array;
  cellCount: Int32Array;
  readonly isLog: boolean;
  #slots: Int32Array;
  #cellSlots: Int32Array;

  /** @param like has held what this will hold, more or less: growing to its size step by step would take a while */
  constructor(isLog = false, like?: PartTable) {
    const parts = roomFor(like?.size, PARTS_AT_FIRST);
    const cells = roomFor(like?.cells, CELLS_AT_FIRST);
    this.isLog = isLog;
    this.minute = new Float64Array(parts);
    this.endpoint = new Int32Array(parts);
    this.agent = new Int32Array(parts);
    this.code = new Int32Array(parts);
    this.n = new Float64Array(parts);
    this.total = new Float64Array(parts);
    this.low = new Float64Array(parts);
    this.high = new Float64Array(parts);
    this.cellPart = new Int32Array(cells);
    this.cellBucket = new Int32Array(cells);
    this.cellCount = new Int32Array(cells);
    this.#slots = new Int32Array(2 * parts);
    this.#cellSlots = new Int32Array(isLog ? 0 : 2 * cells);
  }

  /** That of a key which often comes behind `before`: parts that are made one after the other lie beside each other. */
  partAfter(before: number, minute: number, endpoint: number, agent: number, code: number): number {
    const at = before + 1;
    return at < this.size &&
      this.code[at] === code &&
      this.endpoint[at] === endpoint &&
      this.agent[at] === agent &&
      this.minute[at] === minute
      ? at
      : this.part(minute, endpoint, agent, code);
  }

  /** The part of a key, made if need be. `code` as `codeOf` has it. */
  part(minute: number, endpoint: number, agent: number, code: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashOf(minute, endpoint, agent, code) & mask;
    for (let found = slots[slot]!; found !== 0; found = slots[slot]!) {
      const at = found - 1;
      if (
        this.endpoint[at] === endpoint &&
        this.agent[at] === agent &&
        this.code[at] === code &&
        this.minute[at] === minute
      )
        return at;
      slot = (slot + 1) & mask;
    }
    const at = this.size++;
    slots[slot] = at + 1;
    this.firstMinute = Math.min(this.firstMinute, minute);
    this.minute[at] = minute;
    this.endpoint[at] = endpoint;
    this.agent[at] = agent;
    this.code[at] = code;
    this.low[at] = Infinity;
    this.high[at] = -Infinity;
    if (this.size === this.minute.length) this.#growParts();
    return at;
  }

  /** Adds one value to a part. */
  value(part: number, value: number, bucket: number): void {
    this.n[part]! += 1;
    this.total[part]! += value;
    if (value < this.low[part]!) this.low[part] = value;
    if (value > this.high[part]!) this.high[part] = value;
    this.cell(part, bucket, 1);
  }

  /** Adds to the count of a bucket; that of the part is the caller's. */
  cell(part: number, bucket: number, count: number): void {
    if (this.isLog) return this.#newCell(part, bucket, count);
    const slots = this.#cellSlots;
    const mask = slots.length - 1;
    let slot = cellHashOf(part, bucket) & mask;
    for (let found = slots[slot]!; found !== 0; found = slots[slot]!) {
      const at = found - 1;
      if (this.cellPart[at] === part && this.cellBucket[at] === bucket) {
        this.cellCount[at]! += count;
        return;
      }
      slot = (slot + 1) & mask;
    }
    slots[slot] = this.cells + 1;
    this.#newCell(part, bucket, count);
  }

  /** Adds the parts of another table that `wanted` wants, moved to wider points. */
  addFrom(from: PartTable, wanted: (part: number) => boolean, widthMinutes: number): void {
    const places = new Int32Array(from.size).fill(-1);
    for (let part = 0; part < from.size; part++) {
      if (!wanted(part)) continue;
      const minute = Math.floor(from.minute[part]! / widthMinutes) * widthMinutes;
      const at = this.part(minute, from.endpoint[part]!, from.agent[part]!, from.code[part]!);
      places[part] = at;
      this.n[at]! += from.n[part]!;
      this.total[at]! += from.total[part]!;
      this.low[at] = Math.min(this.low[at]!, from.low[part]!);
      this.high[at] = Math.max(this.high[at]!, from.high[part]!);
    }
    for (let cell = 0; cell < from.cells; cell++) {
      const place = places[from.cellPart[cell]!]!;
      if (place >= 0) this.cell(place, from.cellBucket[cell]!, from.cellCount[cell]!);
    }
  }

  #newCell(part: number, bucket: number, count: number): void {
    const at = this.cells++;
    this.cellPart[at] = part;
    this.cellBucket[at] = bucket;
    this.cellCount[at] = count;
    if (this.cells === this.cellPart.length) this.#growCells();
  }

  #growParts(): void {
    this.minute = grown(this.minute, Float64Array);
    this.endpoint = grown(this.endpoint, Int32Array);
    this.agent = grown(this.agent, Int32Array);
    this.code = grown(this.code, Int32Array);
    this.n = grown(this.n, Float64Array);
    this.total = grown(this.total, Float64Array);
    this.low = grown(this.low, Float64Array);
    this.high = grown(this.high, Float64Array);
    this.#slots = new Int32Array(2 * this.minute.length);
    for (let part = 0; part < this.size; part++)
      occupy(this.#slots, hashOf(this.minute[part]!, this.endpoint[part]!, this.agent[part]!, this.code[part]!), part);
  }

  #growCells(): void {
    this.cellPart = grown(this.cellPart, Int32Array);
    this.cellBucket = grown(this.cellBucket, Int32Array);
    this.cellCount = grown(this.cellCount, Int32Array);
    if (this.isLog) return;
    this.#cellSlots = new Int32Array(2 * this.cellPart.length);
    for (let cell = 0; cell < this.cells; cell++)
      occupy(this.#cellSlots, cellHashOf(this.cellPart[cell]!, this.cellBucket[cell]!), cell);
  }
}

/** A power of two, so that hashes find their slot by a mask. */
const roomFor = (count = 0, least: number) => Math.max(least, 2 ** Math.ceil(Math.log2(count + 1)));

export const codeOf = (kind: number, verdict: number, metric: number): number => (kind << 16) | (verdict << 8) | metric;
export const kindOf = (code: number): number => code >> 16;
export const verdictOf = (code: number): number => (code >> 8) & 255;
export const metricOf = (code: number): number => code & 255;

/** Mixed so that neighbours, which all keys here have, do not share slots (the finaliser of MurmurHash3). */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const hashOf = (minute: number, endpoint: number, agent: number, code: number): number =>
  mixed(
    (Math.imul(minute | 0, 0x9e3779b1) + Math.imul(endpoint, 0x7feb352d) + Math.imul(agent, 0x846ca68b)) ^
      Math.imul(code, 0x2c1b3c6d),
  );
const cellHashOf = (part: number, bucket: number): number =>
  mixed(Math.imul(part, 0x9e3779b1) ^ Math.imul(bucket, 0x7feb352d));

function occupy(slots: Int32Array, hash: number, index: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = index + 1;
}

function grown<A extends Float64Array | Int32Array>(array: A, Kind: new (length: number) => A): A {
  const larger = new Kind(2 * array.length);
  larger.set(array);
  return larger;
}
