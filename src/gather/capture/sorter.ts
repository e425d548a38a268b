import { decodePacket } from '../../wire/packet/decode.ts';
import { newPacket, type Packet } from '../../wire/packet/packet.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import type { Batch } from './batch.ts';
import { Duplicates, Marks } from './duplicates.ts';
import { FlowTable, keyWords } from './flow-table.ts';
import { TapClock } from './tap-clock.ts';

/** Conversations that are kept alive at most, about 200 MB; a flood of SYN packets makes any number of them. */
const maxFlows = 50_000;
const cutAtOnce = 1024;
/** Frames that wait to be looked up together: their memory stays near, and one does not wait for the other's. */
const waiting = 128;

/**
 * The first look at frames: puts the decodable ones that are no copies into a batch, in chains by conversation. Tables are looked up for
 * many frames in a row, since each look waits for memory, and so they wait together.
 */
export class Sorter {
  readonly clock = new TapClock();
  readonly #packet: Packet = newPacket();
  readonly #seed: number;
  #table: FlowTable;
  readonly #duplicates = new Duplicates();
  readonly #datagram: ((packet: Packet, timeMs: number, tap: number) => void) | null;
  #batch: Batch;
  /** Rows of the batch that are done. */
  #rows = 0;
  /** And how many behind them are not looked up yet. */
  #held = 0;
  readonly #marks = new Marks(waiting);
  readonly #keys = new Int32Array(waiting * keyWords);
  #chains = 0;
  /** By row its chain. */
  #chainOf: Int32Array;
  /** By chain its rows. */
  #counts: Int32Array;
  /** By place its chain in the batch + 1, and the last batch that had it. */
  #chainAt = new Int32Array(1024);
  #usedIn = new Int32Array(1024);
  /** Number of the batch. */
  #number = 1;
  /** That from which on the table knows nothing of what was before; 0: there was no other tap. */
  #tableSince = 0;
  #taps = 1;
  #cut: number[] = [];
  #cutAt = 0;
  frames = 0;
  octets = 0;
  /** Frames that carry no IP that can be read. */
  otherFrames = 0;
  mostFlows = 0;

  /**
   * @param batch to be filled first
   * @param datagram is told of packets of UDP in the order of the capture, and which tap they are of
   * @param seed of the hash by which conversations are found: a random number, so that nobody can make it slow
   */
  constructor(
    batch: Batch,
    seed: number,
    datagram: ((packet: Packet, timeMs: number, tap: number) => void) | null = null,
  ) {
    this.#batch = batch;
    this.#seed = seed;
    this.#table = new FlowTable(seed);
    this.#datagram = datagram;
    this.#chainOf = new Int32Array(batch.mostFrames);
    this.#counts = new Int32Array(batch.mostFrames);
  }

  /** Packets that the tap saw twice. */
  get duplicates(): number {
    return this.#duplicates.counts.duplicates;
  }

  /** Wall time of the first packet, ms since the epoch; null: none had a time. */
  get startEpochMs(): number | null {
    const { firstSeconds, firstNanoseconds } = this.clock;
    return Number.isNaN(firstSeconds) ? null : firstSeconds * 1000 + firstNanoseconds / 1e6;
  }

  /** Whether no frame waits to be looked at. */
  get isEmpty(): boolean {
    return this.#rows + this.#held === 0;
  }

  /** Whether a frame fits: its octets have to lie where those of the others do. */
  takes({ bytes }: Frame): boolean {
    return this.isEmpty || (this.#rows + this.#held < this.#batch.mostFrames && bytes === this.#batch.bytes);
  }

  /** Whether the batch has to be closed, whatever follows: it is of another tap. */
  get isDone(): boolean {
    return this.clock.isBehind;
  }

  /** Takes a frame whose octets hold until the batch is done with. */
  add(frame: Frame): void {
    this.frames += 1;
    this.octets += frame.originalLength;
    const { clock } = this;
    const timeMs = clock.see(frame);
    if (clock.taps !== this.#taps) this.#otherTap();
    const packet = this.#packet;
    if (!decodePacket(frame, packet) || packet.inError || packet.fragment === 2) {
      this.otherFrames += 1;
      return;
    }
    const isUsual = packet.version === 4 && packet.tunnel === 0 && packet.protocol !== 17;
    if (!isUsual) this.#settle();
    const row = this.#rows + this.#held;
    this.#batch.bytes = frame.bytes;
    this.#batch.put(row, frame, this.frames, timeMs, clock.nowMs);
    this.#marks.set(this.#held, frame, packet);
    if (isUsual) {
      this.#table.key(packet, this.#keys, this.#held * keyWords);
      this.#batch.setForward(row, this.#table.forward);
      this.#held += 1;
      if (this.#held === waiting) this.#settle();
      return;
    }
    this.#duplicates.look(this.#marks, 1);
    if (this.#marks.isCopy(0)) return;
    if (packet.protocol === 17) this.#datagram?.(packet, timeMs, this.#taps);
    let place = this.#table.find(packet);
    if (place < 0) {
      if (this.#table.size >= maxFlows) this.#makeRoom();
      place = this.#table.add(packet);
    }
    this.#batch.setForward(row, this.#table.forward);
    this.#append(place);
  }

  /** The batch is complete; what is added from now on comes into the next one. */
  close(next: Batch): void {
    this.#settle();
    const batch = this.#batch;
    const { order, chains } = batch;
    const counts = this.#counts;
    let end = 0;
    for (let chain = 0; chain < this.#chains; chain++) {
      const from = end;
      end += counts[chain]!;
      counts[chain] = from;
      chains[2 * chain + 1] = end;
      this.#chainAt[chains[2 * chain]!] = 0;
    }
    const chainOf = this.#chainOf;
    for (let row = 0; row < this.#rows; row++) order[counts[chainOf[row]!]!++] = row;
    counts.fill(0, 0, this.#chains);
    batch.head = {
      chains: this.#chains,
      cut: this.#cut,
      frames: this.frames,
      clockMs: this.clock.nowMs,
      isOtherTap: this.#tableSince === this.#number,
    };
    this.#batch = next;
    this.#rows = 0;
    this.#chains = 0;
    this.#cut = [];
    this.#number += 1;
    this.clock.turn();
    if (next.mostFrames > chainOf.length) {
      this.#chainOf = new Int32Array(next.mostFrames);
      this.#counts = new Int32Array(next.mostFrames);
    }
  }

  /** Number of the batch that is filled. */
  get number(): number {
    return this.#number;
  }

  /** These conversations were over when that batch had been looked at: their places are free, but for those that were used again since. */
  ended(places: readonly number[], number: number): void {
    if (number < this.#tableSince) return;
    for (const place of places) if (this.#usedIn[place]! <= number) this.#remove(place);
  }

  #remove(place: number): void {
    this.#table.remove(place);
    this.#usedIn[place] = 0x7fff_ffff;
  }

  #settle(): void {
    const held = this.#held;
    if (held === 0) return;
    const marks = this.#marks;
    this.#duplicates.look(marks, held);
    const table = this.#table;
    const keys = this.#keys;
    table.look(keys, held);
    const first = this.#rows;
    this.#held = 0;
    // First: none of them may be among those for which there is no room.
    for (let i = 0; i < held; i++) {
      const place = keys[i * keyWords]!;
      if (place >= 0 && !marks.isCopy(i)) this.#usedIn[place] = this.#number;
    }
    for (let i = 0; i < held; i++) {
      if (marks.isCopy(i)) continue;
      let place = keys[i * keyWords]!;
      if (place < 0) {
        if (table.size >= maxFlows) this.#makeRoom();
        place = table.addKey(keys, i * keyWords);
      }
      if (first + i !== this.#rows) this.#batch.move(first + i, this.#rows);
      this.#append(place);
    }
  }

  #append(place: number): void {
    if (place >= this.#chainAt.length) this.#grow(place);
    let chain = this.#chainAt[place]! - 1;
    if (chain < 0) {
      chain = this.#chains++;
      this.#batch.chains[2 * chain] = place;
      this.#chainAt[place] = chain + 1;
      this.#usedIn[place] = this.#number;
      if (this.#table.size > this.mostFlows) this.mostFlows = this.#table.size;
    }
    this.#counts[chain]! += 1;
    this.#chainOf[this.#rows] = chain;
    this.#rows += 1;
  }

  /** Some that are not in this batch are ended, round and round. */
  #makeRoom(): void {
    const most = this.#cut.length + cutAtOnce;
    for (let looked = 0; this.#cut.length < most && looked < this.#usedIn.length; looked++, this.#cutAt++) {
      if (this.#cutAt >= this.#usedIn.length) this.#cutAt = 0;
      const used = this.#usedIn[this.#cutAt]!;
      if (used === 0 || used >= this.#number) continue;
      this.#cut.push(this.#cutAt);
      this.#remove(this.#cutAt);
    }
  }

  /** Nothing of before belongs to what comes; the batch that is filled has nothing yet. */
  #otherTap(): void {
    this.#taps = this.clock.taps;
    this.#tableSince = this.#number;
    this.#table = new FlowTable(this.#seed);
    this.#duplicates.forget();
    this.#usedIn.fill(0);
  }

  #grow(place: number): void {
    const larger = (old: Int32Array) => {
      const grown = new Int32Array(2 * Math.max(place, old.length));
      grown.set(old);
      return grown;
    };
    this.#chainAt = larger(this.#chainAt);
    this.#usedIn = larger(this.#usedIn);
  }
}
