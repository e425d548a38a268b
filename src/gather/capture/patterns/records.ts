import type { FlowRecord } from '../../../model/capture/flow-record.ts';
import type { PatternBook } from './book.ts';
import { endsOf } from './ends.ts';
import { summaryOfTotals } from './totals.ts';

/** A conversation that nobody has told of for this long is over. */
const quietMs = 600_000;

/** Both directions of one conversation, out of any number of records. */
interface Conversation {
  /** Sender of the first record, and its port. */
  a: string;
  aPort: number;
  b: string;
  bPort: number;
  protocol: number;
  octets: [number, number];
  packets: [number, number];
  firstMs: number;
  lastMs: number;
  exporter: FlowRecord['exporter'];
  /** Where it is met, by the first record that says so: the same packets are met again on their way out. */
  met: FlowRecord['direction'];
}

/**
 * Flow records into a book of patterns: puts the two directions and the pieces of long conversations (active timeouts) together, and
 * counts once what several routers or both interfaces of one have seen. Times are those of the exporter, since the epoch: the book has
 * to begin at 0.
 */
export class RecordPatterns {
  readonly #book: PatternBook<string>;
  /** Conversations that are kept until more of them comes; beyond it the oldest are over. */
  readonly #mostOpen: number;
  readonly #open = new Map<string, Conversation>();
  /** Records of packets that another exporter, or the same one on the way out, has told already. */
  again = 0;
  /** Records without addresses, or of two families. */
  unread = 0;

  constructor(book: PatternBook<string>, mostOpen = 65_536) {
    this.#book = book;
    this.#mostOpen = mostOpen;
  }

  add(record: FlowRecord): void {
    const { source, destination, protocol } = record;
    const ends = [`${source.address} ${source.port}`, `${destination.address} ${destination.port}`];
    const key = `${ends.toSorted().join(' ')} ${protocol ?? -1}`;
    let known = this.#open.get(key);
    if (known && record.startMs > known.lastMs + quietMs) {
      this.#end(key, known);
      known = undefined;
    }
    if (!known) {
      this.#begin(key, record);
      return;
    }
    const isOther = known.exporter !== record.exporter;
    if (isOther || (known.met !== null && record.direction !== null && known.met !== record.direction)) {
      this.again++;
      return;
    }
    known.met ??= record.direction;
    // Conversations in which something happens go to the end: the first one of the map is the one longest unheard of.
    this.#open.delete(key);
    this.#open.set(key, known);
    this.#sum(known, record);
  }

  #begin(key: string, record: FlowRecord): void {
    const { source, destination, protocol, startMs, endMs, exporter, direction } = record;
    const made: Conversation = {
      a: source.address,
      aPort: source.port,
      b: destination.address,
      bPort: destination.port,
      protocol: protocol ?? -1,
      octets: [0, 0],
      packets: [0, 0],
      firstMs: startMs,
      lastMs: endMs,
      exporter,
      met: direction,
    };
    this.#sum(made, record);
    this.#open.set(key, made);
    if (this.#open.size > this.#mostOpen) this.#makeRoom();
  }

  /** The sixteenth that was longest unheard of: one by one, a map would be walked over all that left it before. */
  #makeRoom(): void {
    let left = Math.ceil(this.#mostOpen / 16);
    for (const [key, conversation] of this.#open) {
      if (left-- === 0) return;
      this.#end(key, conversation);
    }
  }

  #sum(into: Conversation, { source, octets, packets, reverse, startMs, endMs }: FlowRecord): void {
    const side = source.address === into.a && source.port === into.aPort ? 0 : 1;
    into.octets[side] += octets;
    into.packets[side] += packets;
    into.octets[1 - side]! += reverse?.octets ?? 0;
    into.packets[1 - side]! += reverse?.packets ?? 0;
    into.firstMs = Math.min(into.firstMs, startMs);
    into.lastMs = Math.max(into.lastMs, endMs);
  }

  #end(key: string, { a, aPort, b, bPort, protocol, octets, packets, firstMs, lastMs }: Conversation): void {
    this.#open.delete(key);
    const ends = endsOf(a, b);
    if (!ends) {
      this.unread++;
      return;
    }
    const isClientFirst = opens(aPort, bPort);
    const [forth, back] = isClientFirst ? ([0, 1] as const) : ([1, 0] as const);
    const summary = summaryOfTotals({
      protocol,
      clientPort: isClientFirst ? aPort : bPort,
      serverPort: isClientFirst ? bPort : aPort,
      firstMs,
      lastMs,
      octets: [octets[forth], octets[back]],
      packets: [packets[forth], packets[back]],
    });
    const { clientAt, serverAt } = ends;
    this.#book.end(summary, isClientFirst ? ends : { ...ends, clientAt: serverAt, serverAt: clientAt }, key);
  }

  /** All that is still open is over. */
  finish(): void {
    for (const [key, conversation] of this.#open) this.#end(key, conversation);
  }
}

/** Whether the first end opened, by ports alone: the higher one did; of equal ones, or without ports, who was told of first. */
function opens(first: number, second: number): boolean {
  return first >= second;
}
