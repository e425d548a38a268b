import type { Frame } from '../../wire/pcap/frame.ts';
import { Batch, batchMemory } from './batch.ts';
import { type AnalysisHandlers, Conversations } from './conversations.ts';
import { Sorter } from './sorter.ts';

/** Frames that are kept at most before they are looked at. */
const mostFrames = 1 << 14;

/** Packets in, conversations out, on one thread: sorts frames into batches and looks at these. */
export class CaptureAnalysis {
  readonly #batch = new Batch(batchMemory(mostFrames, (octets) => new ArrayBuffer(octets)));
  readonly #conversations: Conversations;
  readonly sorted: Sorter;

  /** @param seed of the hash by which conversations are found: a random number, so that nobody can make it slow */
  constructor(handlers: AnalysisHandlers, seed = 0) {
    this.#conversations = new Conversations(handlers);
    // Queue pairs are heard in both directions, so in the order of the capture.
    this.sorted = new Sorter(this.#batch, seed, (...of) => handlers.tap?.datagram(...of));
  }

  /** Conversations seen so far. */
  get flows(): number {
    return this.#conversations.begun;
  }

  get cutShort(): number {
    return this.#conversations.cutShort;
  }

  /** What comes is of another file. */
  beginFile(): void {
    this.turn();
    this.sorted.clock.beginFile();
  }

  frame(frame: Frame): void {
    this.later(frame);
    this.turn();
  }

  /** Takes a frame whose octets hold until `turn` is called; many at once are cheaper. */
  later(frame: Frame): void {
    if (!this.sorted.takes(frame)) this.turn();
    this.sorted.add(frame);
    if (this.sorted.isDone) this.turn();
  }

  /** Looks at what came since it was called last. */
  turn(): void {
    const { number } = this.sorted;
    this.sorted.close(this.#batch);
    this.sorted.ended(this.#conversations.look(this.#batch), number);
  }

  /** What is still open is told, in the order in which it began. */
  finish(): void {
    this.turn();
    this.#conversations.finish();
  }
}
