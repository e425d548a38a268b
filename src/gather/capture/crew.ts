import type { Worker } from 'node:worker_threads';
import { newFrame } from '../../wire/pcap/frame.ts';
import { type CaptureEnd, captureReader } from '../../wire/pcap/reader.ts';
import { startWorker } from '../../wire/worker.ts';
import { type AnalystOptions, type CaptureSums, type Findings, sortedSums } from './analyst.ts';
import { Batch, type BatchMemory, batchMemory } from './batch.ts';
import type { CrewOrder, CrewReply, CrewStart } from './crew.worker.ts';
import type { PieceTaker } from './open.ts';
import { PacketTap } from './patterns/packet-tap.ts';
import { Sorter } from './sorter.ts';
import { Tally } from './summary.ts';

/** Octets that are read at once, and how many blocks of them there are: while threads look at some, others are filled. */
const pieceBytes = 256 * 1024;
const mostBlocks = 4;
/** Of a block: what is left of the one before, and eight pieces. */
const blockBytes = 10 * pieceBytes;
/** No record of a packet is shorter: so all that lie in a block fit into its batch. */
const leastRecordBytes = 16;
/** What is made for a moment needs little room, and each thread has its own. */
const resourceLimits = { maxYoungGenerationSizeMb: 32 };

/**
 * Threads that share the conversations of a capture. This one reads and sorts frames, which each has to go through in its order, into
 * memory that all share; the others look at the packets of their own conversations. What they find is told in the order of the blocks and of
 * the threads. Nothing depends on who is quick: the same capture gives the same each time.
 */
export interface CaptureCrew {
  /** Takes the octets of one more file of the capture. */
  file(): PieceTaker;
  /** What is still open is told, and the threads end. */
  finish(): Promise<CaptureSums>;
  /** When the capture began, as soon as something was told. */
  readonly startEpochMs: number | null;
}

export function startCrew(threads: number, findings: Findings, { seed, told }: AnalystOptions): CaptureCrew {
  const members = Array.from({ length: threads }, (_, index) => {
    const workerData: CrewStart = {
      seed,
      share: { index, of: threads },
      told,
      withExchanges: !!findings.exchange,
      withEvents: !!findings.event,
    };
    return new Member(startWorker(import.meta.url, './crew.worker', { workerData, resourceLimits }));
  });
  const tap = new PacketTap(seed);
  const crew = new Crew(members, findings, (batch) => new Sorter(batch, seed, (...of) => tap.datagram(...of)));
  return {
    file: () => new CrewFile(crew),
    finish: async () => {
      const replies = await crew.order({ kind: 'finish' });
      await Promise.all(members.map((member) => member.end()));
      const total = (of: (sums: NonNullable<CrewReply['sums']>) => number) =>
        replies.reduce((sum, { sums }) => sum + of(sums!), 0);
      const tally = new Tally();
      for (const { sums } of replies) tally.merge(sums!.tallied);
      return {
        ...sortedSums(crew.sorter),
        ...tally.sums,
        cutShort: total(({ cutShort }) => cutShort),
        roce: tap.sums().roce,
        refusedSeries: total(({ refusedSeries }) => refusedSeries),
      };
    },
    get startEpochMs() {
      return crew.sorter.startEpochMs;
    },
  };
}

/** Memory of one batch and of the octets that it tells of. */
interface Block {
  index: number;
  bytes: Buffer;
  batch: Batch;
  /** As the threads get it; null once they have. */
  memory: { bytes: SharedArrayBuffer; batch: BatchMemory } | null;
}

/** The threads and what lies between them and who reads. */
class Crew {
  readonly sorter: Sorter;
  /** Where octets come to lie, and into whose batch frames are sorted. */
  block: Block;
  readonly #members: readonly Member[];
  readonly #findings: Findings;
  readonly #free: Block[];
  #made = 0;
  /** Blocks that are looked at, oldest first, and the number of the batch in each. */
  readonly #busy: { block: Block; number: number; looking: Promise<CrewReply[]> }[] = [];
  /** The first blocks are handed over before they are full, so that threads have something soon. */
  #handOverBytes = pieceBytes;

  constructor(members: readonly Member[], findings: Findings, newSorter: (batch: Batch) => Sorter) {
    this.#members = members;
    this.#findings = findings;
    this.#free = Array.from({ length: mostBlocks }, () => this.#newBlock(blockBytes));
    this.block = this.#free.shift()!;
    this.sorter = newSorter(this.block.batch);
  }

  /** Whether so many octets are enough for the threads, of a block with so much room. */
  isEnough(octets: number, room: number): boolean {
    return octets >= this.#handOverBytes || room < pieceBytes;
  }

  /** The same to all; what they answer is told when all have. */
  async order(what: CrewOrder): Promise<CrewReply[]> {
    const replies = await Promise.all(this.#members.map((member) => member.order(what)));
    tell(replies, this.#findings);
    return replies;
  }

  /** The block goes to the threads, and another one takes its place, with room for more than what is left over. */
  async handOver(restBytes: number): Promise<void> {
    if (this.#free.length === 0) await this.#settleOldest();
    const block = this.block;
    let next = this.#free.shift()!;
    if (next.bytes.length < restBytes + 2 * pieceBytes) next = this.#newBlock(2 * restBytes + 2 * pieceBytes);
    this.block = next;
    const { number } = this.sorter;
    this.sorter.close(next.batch);
    const { index, memory, batch } = block;
    block.memory = null;
    const looking = this.order({ kind: 'batch', block: index, memory, head: batch.head });
    // Who waits for it is told.
    looking.catch(() => {});
    this.#busy.push({ block, number, looking });
    this.#handOverBytes *= 2;
  }

  async settled(): Promise<void> {
    while (this.#busy.length > 0) await this.#settleOldest();
  }

  /** Only here places become free, however long the threads have been done: else which thread gets a conversation would be chance. */
  async #settleOldest(): Promise<void> {
    const { block, number, looking } = this.#busy[0]!;
    for (const { ended } of await looking) this.sorter.ended(ended, number);
    this.#busy.shift();
    this.#free.push(block);
  }

  #newBlock(octets: number): Block {
    const bytes = new SharedArrayBuffer(octets);
    const memory = batchMemory(Math.ceil(octets / leastRecordBytes), (size) => new SharedArrayBuffer(size));
    return {
      index: this.#made++,
      bytes: Buffer.from(bytes),
      batch: new Batch(memory),
      memory: { bytes, batch: memory },
    };
  }
}

/** One thread. It answers orders one by one, as they came. */
class Member {
  readonly #worker: Worker;
  readonly #waiting: { resolve(reply: CrewReply): void; reject(error: Error): void }[] = [];
  #failed: Error | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: CrewReply) => this.#waiting.shift()!.resolve(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Error('a thread that reads the capture ended')));
  }

  order(what: CrewOrder): Promise<CrewReply> {
    if (this.#failed) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(what);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failed);
  }
}

/** Puts the octets of one file into blocks. With nothing to look at, what is there is handed over at once. */
class CrewFile implements PieceTaker {
  readonly #crew: Crew;
  readonly #reader = captureReader();
  readonly #frame = newFrame();
  /** In this block so far. */
  #octets = 0;
  frames = 0;

  constructor(crew: Crew) {
    this.#crew = crew;
    this.#reader.moveTo(crew.block.bytes);
    crew.sorter.clock.beginFile();
  }

  get format(): 'pcap' | 'pcapng' | null {
    return this.#reader.format;
  }

  get drops(): number {
    return this.#reader.drops;
  }

  room(): Buffer {
    return this.#reader.room().subarray(0, pieceBytes);
  }

  async took(octets: number): Promise<void> {
    const [{ sorter }, reader, frame] = [this.#crew, this.#reader, this.#frame];
    reader.took(octets);
    try {
      while (reader.next(frame)) {
        this.frames += 1;
        sorter.add(frame);
        if (sorter.isDone) await this.#handOver();
      }
    } catch (error) {
      // What came before an octet that cannot be read on holds.
      await this.#handOver();
      throw error;
    }
    this.#octets += octets;
    if (this.#crew.isEnough(this.#octets, reader.room().length)) await this.#handOver();
  }

  async idle(): Promise<void> {
    if (!this.#crew.sorter.isEmpty) await this.#handOver();
    await this.#crew.settled();
  }

  async end(): Promise<CaptureEnd> {
    await this.#handOver();
    await this.#crew.settled();
    return this.#reader.end();
  }

  async close(): Promise<void> {
    // What was taken before somebody stopped the reading.
    await this.idle();
  }

  async #handOver(): Promise<void> {
    await this.#crew.handOver(this.#reader.rest);
    this.#octets = 0;
    this.#reader.moveTo(this.#crew.block.bytes);
  }
}

function tell(replies: readonly CrewReply[], findings: Findings): void {
  for (const { exchanges } of replies) for (const [flow, exchange] of exchanges) findings.exchange?.(flow, exchange);
  for (const { events } of replies) for (const [flow, event] of events) findings.event?.(flow, event);
  // Those that were open at the end are told in the order in which they began.
  const flows = replies.flatMap((reply) => reply.flows);
  if (replies[0]!.sums) flows.sort(([a], [b]) => a - b);
  for (const of of flows) findings.flow(...of);
}
