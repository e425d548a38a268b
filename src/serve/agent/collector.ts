import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type BatchBody, PROTOCOL_VERSION } from '../../model/agent-protocol.ts';
import { columnsOf } from '../../store/columns.ts';
import type { BareSample } from '../../store/sample-of.ts';
import type { EncodedBatch } from './batch-file.ts';
import type { Spool } from './spool.ts';

const zip = promisify(gzip);

/** A batch is closed when it holds so much, or at the next flush. */
const maxSamples = 5000;
const maxDetailChars = 4 << 20;
/** Samples that wait for a disk that does not answer; beyond, the oldest are dropped and counted. */
const maxWaiting = 100_000;

/** The batch that a list of samples makes, ready for the spool. */
export async function encodeBatch(key: string, samples: readonly BareSample[]): Promise<EncodedBatch> {
  const body: BatchBody = { version: PROTOCOL_VERSION, key, ...columnsOf(samples) };
  // Columns of like numbers shrink to an eighth at the lowest level, and higher ones cost more than the octets they save.
  const payload = await zip(JSON.stringify(body), { level: 1 });
  return { key, samples: samples.length, encoding: 'gzip', payload };
}

export interface CollectorParts {
  spool: Spool;
  /** Unique for all times, also over restarts: what the keys of this process begin with. */
  life: string;
  /** Called when the spool has something new. */
  onBatch: () => void;
}

/** Gathers samples into batches and hands these to the spool. */
export class Collector {
  readonly #parts: CollectorParts;
  #samples: BareSample[] = [];
  #detailChars = 0;
  #batches = 0;
  #dropped = 0;
  #flushing: Promise<void> | null = null;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** Samples that never reached the spool. */
  get dropped(): number {
    return this.#dropped;
  }

  add(samples: readonly BareSample[]): void {
    this.#samples.push(...samples);
    for (const { detail } of samples) this.#detailChars += detail?.length ?? 0;
    const over = this.#samples.length - maxWaiting;
    if (over > 0) {
      for (const { detail } of this.#samples.splice(0, over)) this.#detailChars -= detail?.length ?? 0;
      this.#dropped += over;
    }
    if (this.#samples.length >= maxSamples || this.#detailChars >= maxDetailChars) void this.flush();
  }

  /** Resolves when everything that was added before is in the spool, or counted as dropped. */
  async flush(): Promise<void> {
    // One at a time, in order; whoever asks meanwhile waits for a round that begins after his samples came.
    await this.#flushing;
    this.#flushing ??= this.#flushAll().finally(() => (this.#flushing = null));
    await this.#flushing;
  }

  async #flushAll(): Promise<void> {
    while (this.#samples.length > 0) {
      const samples = this.#take();
      const key = `${this.#parts.life}.${++this.#batches}`;
      const where = await this.#parts.spool.append(await encodeBatch(key, samples));
      // The spool counts what it drops itself.
      if (where !== 'dropped') this.#parts.onBatch();
    }
  }

  #take(): BareSample[] {
    let [count, chars] = [0, 0];
    while (count < Math.min(this.#samples.length, maxSamples) && (count === 0 || chars < maxDetailChars))
      chars += this.#samples[count++]?.detail?.length ?? 0;
    this.#detailChars -= chars;
    return this.#samples.splice(0, count);
  }
}
