/**
 * What a sweep knows of its targets and probes, as columns of numbers in one SharedArrayBuffer: the sending thread writes them
 * while another one reads. A million targets cost about 75 MB and no object. Everything a target says of itself is written before the
 * sweep starts; everything else only by the sweep.
 */
export interface Columns {
  targets: number;
  rounds: number;
  /** 4 or 6; 0 for a target without an address, to which nothing is sent. */
  family: Uint8Array;
  /** Address in network order, four words a target; an IPv4 address fills the first. */
  address32: Uint32Array;
  /** Interface index of a link-local address, else 0. */
  scope: Uint32Array;
  /** In network order. */
  port: Uint16Array;
  /** ProbeState by cell: target × rounds + round. */
  state: Uint8Array;
  /** Round trip of a cell in ms, as far as its state has one; NaN when the wall clock was stepped meanwhile. */
  rttMs: Float32Array;
  /** Largest error of the round trips of a target, ms. */
  errorMs: Float32Array;
  /** Answers beyond the first to the same probe. */
  duplicates: Uint32Array;
  /** Answers that came after the answer to a later probe. */
  reordered: Uint32Array;
  /** Highest round answered so far, plus one. */
  answeredRound: Uint32Array;
  /** errno of the last failed call, or 0. */
  errno: Uint8Array;
  /** Type and code (type × 256 + code) of the last ICMP error. */
  icmp: Uint16Array;
  /** Who sent that error, or the answer from another address; as address32. */
  offender32: Uint32Array;
  offenderFamily: Uint8Array;
  counters: Float64Array;
  /** [0] is set to 1 by whoever wants the sweep to stop. */
  control: Int32Array;
}

/**
 * How a probe stands. `unsure`: unanswered, while we ourselves dropped packets for want of room. `notTls`: what answered a
 * ClientHello, or hung up on it, does not speak TLS.
 */
export const ProbeState = {
  notSent: 0,
  flying: 1,
  answered: 2,
  refused: 3,
  lost: 4,
  late: 5,
  otherAddress: 6,
  unreachable: 7,
  failed: 8,
  unsure: 9,
  interrupted: 10,
  notTls: 11,
} as const;

/** Index into `counters`. */
export const Counter = {
  sent: 0,
  answered: 1,
  lost: 2,
  otherEnds: 3,
  /** Packets that the kernel dropped because our buffer was full (what SO_RXQ_OVFL counts). */
  ownDrops: 4,
  /** Packets that came to our socket and were not ours. */
  foreign: 5,
  lagMaxMs: 6,
  lagSumMs: 7,
  scheduled: 8,
  /** Round trips by stamps of the network card. */
  nicStamped: 9,
  /** Lateness of sends by powers of two of a microsecond: [16] is up to 1 µs, [17] up to 2 µs … */
  lagBuckets: 16,
} as const;
export const LAG_BUCKETS = 32;

const COUNTERS = Counter.lagBuckets + LAG_BUCKETS;

/** Targets in two halves, each for a thread of its own. */
const HALVES = 2;
export type Half = 0 | 1;

/** Octets of the columns; to be had before they are made, because it may be too much. */
export function columnBytes(targets: number, rounds: number): number {
  return layout(targets, rounds).bytes;
}

export function makeColumns(targets: number, rounds: number, shared?: SharedArrayBuffer): Columns {
  const { bytes, at } = layout(targets, rounds);
  const buffer = shared ?? new SharedArrayBuffer(bytes);
  const cells = targets * rounds;
  return {
    targets,
    rounds,
    counters: new Float64Array(buffer, at.counters, COUNTERS),
    address32: new Uint32Array(buffer, at.address32, targets * 4),
    scope: new Uint32Array(buffer, at.scope, targets),
    rttMs: new Float32Array(buffer, at.rttMs, cells),
    errorMs: new Float32Array(buffer, at.errorMs, targets),
    duplicates: new Uint32Array(buffer, at.duplicates, targets),
    reordered: new Uint32Array(buffer, at.reordered, targets),
    answeredRound: new Uint32Array(buffer, at.answeredRound, targets),
    offender32: new Uint32Array(buffer, at.offender32, targets * 4),
    control: new Int32Array(buffer, at.control, 4),
    port: new Uint16Array(buffer, at.port, targets),
    icmp: new Uint16Array(buffer, at.icmp, targets),
    family: new Uint8Array(buffer, at.family, targets),
    offenderFamily: new Uint8Array(buffer, at.offenderFamily, targets),
    errno: new Uint8Array(buffer, at.errno, targets),
    state: new Uint8Array(buffer, at.state, cells),
  };
}

/** One half of the targets as columns of their own over the same memory, with counters that no other thread writes. */
export function halfOf(columns: Columns, half: Half): Columns {
  const { targets, rounds, counters } = columns;
  const middle = targets >>> 1;
  const [from, to] = half === 0 ? [0, middle] : [middle, targets];
  const cells = [from * rounds, to * rounds] as const;
  const addresses = [from * 4, to * 4] as const;
  return {
    targets: to - from,
    rounds,
    counters: new Float64Array(counters.buffer, counters.byteOffset + half * counters.byteLength, COUNTERS),
    control: columns.control,
    address32: columns.address32.subarray(...addresses),
    offender32: columns.offender32.subarray(...addresses),
    rttMs: columns.rttMs.subarray(...cells),
    state: columns.state.subarray(...cells),
    scope: columns.scope.subarray(from, to),
    errorMs: columns.errorMs.subarray(from, to),
    duplicates: columns.duplicates.subarray(from, to),
    reordered: columns.reordered.subarray(from, to),
    answeredRound: columns.answeredRound.subarray(from, to),
    port: columns.port.subarray(from, to),
    icmp: columns.icmp.subarray(from, to),
    family: columns.family.subarray(from, to),
    offenderFamily: columns.offenderFamily.subarray(from, to),
    errno: columns.errno.subarray(from, to),
  };
}

/** Adds what the second half counted to the first, whose counters are those of all. Once, when both are done. */
export function joinHalves(columns: Columns): void {
  const { counters } = columns;
  const second = halfOf(columns, 1).counters;
  for (let i = 0; i < COUNTERS; i++)
    counters[i] = i === Counter.lagMaxMs ? Math.max(counters[i]!, second[i]!) : counters[i]! + second[i]!;
  second.fill(0);
}

function layout(targets: number, rounds: number) {
  let bytes = 0;
  const take = (count: number, width: number) => {
    const start = bytes;
    bytes += Math.ceil((count * width) / 8) * 8;
    return start;
  };
  const cells = targets * rounds;
  const at = {
    counters: take(COUNTERS * HALVES, 8),
    address32: take(targets * 4, 4),
    scope: take(targets, 4),
    rttMs: take(cells, 4),
    errorMs: take(targets, 4),
    duplicates: take(targets, 4),
    reordered: take(targets, 4),
    answeredRound: take(targets, 4),
    offender32: take(targets * 4, 4),
    control: take(4, 4),
    port: take(targets, 2),
    icmp: take(targets, 2),
    family: take(targets, 1),
    offenderFamily: take(targets, 1),
    errno: take(targets, 1),
    state: take(cells, 1),
  };
  return { bytes, at };
}
