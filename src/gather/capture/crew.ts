import type { Worker } from 'node:worker_threads';
import { CaptureError } from '../../wire/pcap/frame.ts';
import type { CaptureEnd } from '../../wire/pcap/reader.ts';
import { startWorker } from '../../wire/worker.ts';
import type { AnalystOptions, CaptureSums, Findings } from './analyst.ts';
import type { CrewOrder, CrewReply, CrewStart } from './crew.worker.ts';
import type { PieceTaker } from './open.ts';

/** Octets that are handed to the threads at once, and how often: while they look at some, others are read. */
const blockBytes = 1024 * 1024;
const blocks = 4;
/** What is made for a moment needs little room, and each thread has its own. */
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

/**
 * Threads that share the conversations of a capture. Each reads all of it from memory that they share, which is cheap, and looks at the
 * packets of its own conversations only. What they find is told in the order of the blocks and of the threads, so that it is the same
 * each time.
 */
export interface CaptureCrew {
  /** Takes the octets of one more file of the capture. */
  file(): PieceTaker;
  /** What is still open is told, and the threads end. */
  finish(): Promise<CaptureSums>;
  /** When the capture began, as soon as something was told. */
  readonly startEpochMs: number | null;
}

export function startCrew(threads: number, findings: Findings, { seed }: Pick<AnalystOptions, 'seed'>): CaptureCrew {
  const memory = Array.from({ length: blocks }, () => new SharedArrayBuffer(blockBytes));
  const crew = Array.from({ length: threads }, (_, index) => {
    const workerData: CrewStart = { memory, seed, share: { index, of: threads }, withEvents: !!findings.event };
    return new Member(startWorker(import.meta.url, './crew.worker', { workerData, resourceLimits }));
  });
  const state: { startEpochMs: number | null } = { startEpochMs: null };
  /** The same order to all; what they answer is told when all have. */
  const order = async (what: CrewOrder): Promise<CrewReply[]> => {
    const replies = await Promise.all(crew.map((member) => member.order(what)));
    state.startEpochMs = replies[0]!.startEpochMs;
    tell(replies, findings);
    return replies;
  };
  return {
    file: () => new CrewFile(memory, order),
    finish: async () => {
      const replies = await order({ kind: 'finish' });
      await Promise.all(crew.map((member) => member.end()));
      return sumsOf(replies.map(({ sums }) => sums!));
    },
    get startEpochMs() {
      return state.startEpochMs;
    },
  };
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

/** Cuts one file into blocks. One is filled while others are looked at; with nothing to look at, what is there is handed over at once. */
class CrewFile implements PieceTaker {
  frames = 0;
  format: 'pcap' | 'pcapng' | null = null;
  drops = 0;
  readonly #memory: Uint8Array[];
  readonly #order: (what: CrewOrder) => Promise<CrewReply[]>;
  readonly #free: number[];
  /** Blocks that are looked at, oldest first. */
  readonly #busy: Promise<void>[] = [];
  #block = -1;
  #filled = 0;
  #opened = false;
  #problem: CrewReply['problem'] = null;
  #failure: Error | null = null;

  constructor(memory: readonly SharedArrayBuffer[], order: (what: CrewOrder) => Promise<CrewReply[]>) {
    this.#memory = memory.map((shared) => new Uint8Array(shared));
    this.#free = memory.map((_, block) => block);
    this.#order = order;
  }

  async take(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      if (this.#block < 0) await this.#nextBlock();
      const size = Math.min(piece.length - at, blockBytes - this.#filled);
      this.#memory[this.#block]!.set(piece.subarray(at, at + size), this.#filled);
      this.#filled += size;
      at += size;
      if (this.#filled === blockBytes) this.#handOver();
    }
    if (this.#busy.length === 0) this.#handOver();
  }

  async end(): Promise<CaptureEnd> {
    this.#handOver();
    await this.#settled();
    this.#throw();
    const [first] = await this.#order({ kind: 'end', isFirst: !this.#opened });
    this.#note(first!);
    this.#throw();
    return first!.end!;
  }

  async close(): Promise<void> {
    this.#handOver();
    await this.#settled();
    if (this.#failure) throw this.#failure;
  }

  async #nextBlock(): Promise<void> {
    while (this.#free.length === 0) await this.#busy[0];
    this.#throw();
    this.#block = this.#free.pop()!;
    this.#filled = 0;
  }

  #handOver(): void {
    if (this.#block < 0 || this.#filled === 0) return;
    const block = this.#block;
    this.#block = -1;
    const isFirst = !this.#opened;
    this.#opened = true;
    const looking = this.#order({ kind: 'block', block, length: this.#filled, isFirst })
      .then(([first]) => this.#note(first!))
      .catch((error: Error) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#free.push(block);
        void this.#busy.shift();
      });
    this.#busy.push(looking);
  }

  async #settled(): Promise<void> {
    while (this.#busy.length > 0) await this.#busy[0];
  }

  #note({ frames, format, drops, problem }: CrewReply): void {
    this.frames = frames;
    this.format = format;
    this.drops = drops;
    this.#problem ??= problem;
  }

  #throw(): void {
    if (this.#failure) throw this.#failure;
    if (this.#problem) throw new CaptureError(this.#problem.message, this.#problem.offset);
  }
}

function tell(replies: readonly CrewReply[], findings: Findings): void {
  for (const { exchanges } of replies) for (const [flow, exchange] of exchanges) findings.exchange(flow, exchange);
  for (const { events } of replies) for (const [flow, event] of events) findings.event?.(flow, event);
  // Those that were open at the end are told in the order in which they began.
  const flows = replies.flatMap((reply) => reply.flows);
  if (replies[0]!.sums) flows.sort(([a], [b]) => a.number - b.number);
  for (const [flow, seen] of flows) findings.flow(flow, seen);
}

/** What all have seen is in each; what belongs to conversations is added up. */
function sumsOf(sums: readonly CaptureSums[]): CaptureSums {
  const total = (of: (one: CaptureSums) => number) => sums.reduce((sum, one) => sum + of(one), 0);
  return {
    ...sums[0]!,
    duplicates: total(({ duplicates }) => duplicates),
    cutShort: total(({ cutShort }) => cutShort),
    refusedSeries: total(({ refusedSeries }) => refusedSeries),
  };
}
