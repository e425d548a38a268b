import { join } from 'node:path';
import * as z from 'zod';
import { type DurableFiles, unfinished, writeWhole } from '../../wire/durable-files.ts';
import {
  type BatchName,
  batchName,
  decodeBatchFile,
  type EncodedBatch,
  encodeBatchFile,
  parseBatchName,
} from './batch-file.ts';

/**
 * Batches between their making and their acknowledgement, on disk.
 *
 * One file per batch: written under another name, synchronised, renamed, the directory synchronised. A batch is so either there as
 * a whole or was never promised, whatever moment a crash comes at; removing one is one `unlink`, without a segment to compact, and
 * a removal that a crash undoes only sends the batch once more, which its key makes harmless. An agent makes about a batch
 * every two seconds, so the two synchronisations per batch are its whole cost. Length and CRC-32 find what a medium spoils later.
 *
 * A full disk is an outcome: batches then wait in memory, bounded, and go to disk when there is room. Beyond a bound the oldest
 * whole batches are dropped and counted; the count is on disk before the batch is gone.
 */
export interface SpoolLimits {
  /** Octets of batch files. */
  maxBytes: number;
  /** Octets of batches that wait in memory while the disk takes none. */
  maxMemoryBytes: number;
  /** Octets of the batches that the server refused, which are kept to be looked at. */
  maxQuarantineBytes: number;
}

export const spoolLimits: SpoolLimits = {
  maxBytes: 256 << 20,
  maxMemoryBytes: 16 << 20,
  maxQuarantineBytes: 16 << 20,
};

/** A batch that waits. */
export interface SpoolEntry extends BatchName {
  /** The batch itself while the disk did not take it; null when it is on disk. */
  inMemory: EncodedBatch | null;
}

/** Where a batch went: `memory` is lost with this process, `dropped` is lost now. */
export type Appended = 'durable' | 'memory' | 'dropped';

const tally = z.object({ batches: z.number(), samples: z.number() });
const ledgerSchema = z.object({
  version: z.literal(1),
  dropped: tally,
  quarantined: tally,
  /** Counted as dropped, and perhaps not yet removed. */
  doomed: z.array(z.number()),
});
type Ledger = z.infer<typeof ledgerSchema>;

export interface SpoolFigures {
  batches: number;
  samples: number;
  bytes: number;
  memoryBatches: number;
  /** Since this spool was first made. */
  dropped: { batches: number; samples: number };
  quarantined: { batches: number; samples: number };
  /** Why the disk took no batch the last time, e.g. `ENOSPC`; null when it did. */
  diskFault: string | null;
}

/** No batch is larger than this: the server takes none that is. */
export const maxBatchBytes = 32 << 20;

const passing: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);

export class Spool {
  readonly #files: DurableFiles;
  readonly #directory: string;
  readonly #limits: SpoolLimits;
  /** Oldest first: sequences only grow, and Map keeps the order of insertion. */
  readonly #entries: Map<number, SpoolEntry>;
  readonly #taken = new Set<number>();
  /** Above this nothing waits but what was skipped, so that looking for the newest does not walk over all that have gone. */
  #newest: number;
  #ledger: Ledger;
  #nextSequence: number;
  #diskFault: string | null = null;
  /** One change at a time, in the order in which they were asked for. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    files: DurableFiles,
    directory: string,
    limits: SpoolLimits,
    entries: SpoolEntry[],
    ledger: Ledger,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#limits = limits;
    this.#entries = new Map(entries.map((entry) => [entry.sequence, entry]));
    this.#ledger = ledger;
    // Past the doomed as well: a new batch must never inherit the doom of an old one.
    this.#nextSequence = Math.max(0, ...ledger.doomed, entries.at(-1)?.sequence ?? 0) + 1;
    this.#newest = this.#nextSequence - 1;
  }

  /** Opens or makes a spool. What a crash left half done is finished or taken back. */
  static async open(files: DurableFiles, directory: string, limits: SpoolLimits = spoolLimits): Promise<Spool> {
    await files.makeDirectory(join(directory, 'quarantine'));
    const ledger = await readLedger(files, directory);
    const entries: SpoolEntry[] = [];
    for (const name of await files.list(directory)) {
      const known = parseBatchName(name);
      const isDoomed = known !== null && ledger.doomed.includes(known.sequence);
      if (isDoomed || name.endsWith(unfinished)) await files.remove(join(directory, name));
      else if (known) entries.push({ ...known, inMemory: null });
    }
    const spool = new Spool(
      files,
      directory,
      limits,
      entries.toSorted((a, b) => a.sequence - b.sequence),
      ledger,
    );
    if (ledger.doomed.length > 0) await spool.#settle();
    return spool;
  }

  figures(): SpoolFigures {
    const all = [...this.#entries.values()];
    return {
      batches: all.length,
      samples: all.reduce((sum, { samples }) => sum + samples, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      memoryBatches: all.filter(({ inMemory }) => inMemory).length,
      dropped: { ...this.#ledger.dropped },
      quarantined: { ...this.#ledger.quarantined },
      diskFault: this.#diskFault,
    };
  }

  /** Resolves when the batch is where the answer says. Never rejects for what the disk does. */
  append(batch: EncodedBatch): Promise<Appended> {
    return this.#inTurn(async () => {
      const file = encodeBatchFile(batch);
      const { key, samples } = batch;
      const entry = { sequence: this.#nextSequence++, samples, bytes: file.length, key, inMemory: batch };
      const canFit = file.length <= Math.min(this.#limits.maxBytes, maxBatchBytes);
      if (canFit) await this.#makeRoom(file.length);
      if (!canFit || this.#bytesOn('disk') + file.length > this.#limits.maxBytes)
        return this.#count('dropped', [entry], 'dropped');
      this.#entries.set(entry.sequence, entry);
      this.#newest = entry.sequence;
      if (await this.#store(entry, file)) {
        await this.#storeOthers();
        return 'durable';
      }
      return this.#boundMemory(entry);
    });
  }

  /** The oldest batch that nobody has taken and that is not to be skipped; it is the caller's until it is acknowledged, refused or put back. */
  take(skip: (entry: SpoolEntry) => boolean = () => false): SpoolEntry | undefined {
    for (const entry of this.#entries.values()) {
      if (this.#taken.has(entry.sequence) || skip(entry)) continue;
      this.#taken.add(entry.sequence);
      return entry;
    }
    return undefined;
  }

  /** The same for the newest. */
  takeNewest(skip: (entry: SpoolEntry) => boolean = () => false): SpoolEntry | undefined {
    const [oldest = Infinity] = this.#entries.keys();
    for (let sequence = this.#newest; sequence >= oldest; sequence--) {
      const entry = this.#entries.get(sequence);
      if (!entry || this.#taken.has(sequence) || skip(entry)) continue;
      this.#newest = sequence - 1;
      this.#taken.add(sequence);
      return entry;
    }
    return undefined;
  }

  putBack({ sequence }: SpoolEntry): void {
    this.#taken.delete(sequence);
    this.#newest = Math.max(this.#newest, sequence);
  }

  /** The batch of an entry that was taken; null when the medium has spoiled it, and then it is in quarantine. */
  async read(entry: SpoolEntry): Promise<EncodedBatch | null> {
    if (entry.inMemory) return entry.inMemory;
    const path = join(this.#directory, batchName(entry));
    const file = await this.#files.read(path, maxBatchBytes).catch((error: unknown) => {
      // Of this process, not of the file: the caller puts the batch back and tries again.
      if (passing.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return Buffer.alloc(0);
    });
    const batch = decodeBatchFile(file);
    if (batch?.key === entry.key && batch.samples === entry.samples) return batch;
    await this.quarantine(entry, 'the file is gone, torn or damaged: length or checksum is wrong');
    return null;
  }

  /** The server has it. */
  acknowledge(entry: SpoolEntry): Promise<void> {
    return this.#inTurn(async () => {
      this.#forget(entry);
      // Not synchronised: a crash may bring it back, and then it is sent once more under the same key.
      await this.#removeFile(entry);
    });
  }

  /** The server will never take it: kept apart to be looked at, with the reason beside it, and counted. */
  quarantine(entry: SpoolEntry, why: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#forget(entry);
      const name = batchName(entry);
      const kept = join(this.#directory, 'quarantine', name);
      try {
        if (entry.inMemory) await writeWhole(this.#files, kept, encodeBatchFile(entry.inMemory));
        else await this.#files.rename(join(this.#directory, name), kept);
        await writeWhole(this.#files, `${kept}.txt`, Buffer.from(`${why}\n`));
        await this.#boundQuarantine();
      } catch {
        // Without room for it, it is still out of the way of those behind it.
        await this.#removeFile(entry);
      }
      await this.#count('quarantined', [entry], undefined);
    });
  }

  /** Tries to bring to disk what waits in memory. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#storeOthers());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #forget({ sequence }: SpoolEntry): void {
    this.#entries.delete(sequence);
    this.#taken.delete(sequence);
  }

  async #removeFile(entry: SpoolEntry): Promise<void> {
    await this.#files.remove(join(this.#directory, batchName(entry))).catch(() => undefined);
  }

  #bytesOn(place: 'disk' | 'memory'): number {
    let sum = 0;
    for (const { bytes, inMemory } of this.#entries.values())
      if ((inMemory ? 'memory' : 'disk') === place) sum += bytes;
    return sum;
  }

  async #store(entry: SpoolEntry, file: Buffer): Promise<boolean> {
    try {
      await writeWhole(this.#files, join(this.#directory, batchName(entry)), file);
    } catch (error) {
      this.#diskFault = (error as NodeJS.ErrnoException).code ?? String(error);
      return false;
    }
    this.#diskFault = null;
    entry.inMemory = null;
    return true;
  }

  async #storeOthers(): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (!entry.inMemory) continue;
      await this.#makeRoom(entry.bytes);
      if (!(await this.#store(entry, encodeBatchFile(entry.inMemory)))) return;
    }
  }

  /** Last resort: the oldest batches on disk that are not on their way go, until `bytes` more fit. */
  async #makeRoom(bytes: number): Promise<void> {
    let over = this.#bytesOn('disk') + bytes - this.#limits.maxBytes;
    const victims: SpoolEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (over <= 0) break;
      if (entry.inMemory || this.#taken.has(entry.sequence)) continue;
      victims.push(entry);
      over -= entry.bytes;
    }
    if (victims.length === 0) return;
    for (const victim of victims) this.#entries.delete(victim.sequence);
    this.#ledger.doomed = victims.map(({ sequence }) => sequence);
    await this.#count('dropped', victims, undefined);
    for (const victim of victims) await this.#removeFile(victim);
    await this.#files.syncDirectory(this.#directory).catch(() => undefined);
    await this.#settle();
  }

  async #boundMemory(newest: SpoolEntry): Promise<Appended> {
    let over = this.#bytesOn('memory') - this.#limits.maxMemoryBytes;
    const victims: SpoolEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (over <= 0) break;
      if (!entry.inMemory || this.#taken.has(entry.sequence)) continue;
      victims.push(entry);
      over -= entry.bytes;
      this.#entries.delete(entry.sequence);
      // A rename that could not be synchronised may have left it there.
      await this.#removeFile(entry);
    }
    return this.#count('dropped', victims, victims.includes(newest) ? 'dropped' : 'memory');
  }

  async #boundQuarantine(): Promise<void> {
    const directory = join(this.#directory, 'quarantine');
    const kept = (await this.#files.list(directory)).flatMap((name) => parseBatchName(name) ?? []);
    let over = kept.reduce((sum, { bytes }) => sum + bytes, 0) - this.#limits.maxQuarantineBytes;
    for (const name of kept.toSorted((a, b) => a.sequence - b.sequence)) {
      if (over <= 0) break;
      over -= name.bytes;
      await this.#files.remove(join(directory, batchName(name)));
      await this.#files.remove(join(directory, `${batchName(name)}.txt`));
    }
  }

  async #count<T>(what: 'dropped' | 'quarantined', entries: readonly SpoolEntry[], answer: T): Promise<T> {
    if (entries.length === 0) return answer;
    this.#ledger[what].batches += entries.length;
    for (const { samples } of entries) this.#ledger[what].samples += samples;
    await this.#writeLedger();
    return answer;
  }

  /** What was doomed is gone. */
  #settle(): Promise<void> {
    this.#ledger.doomed = [];
    return this.#writeLedger();
  }

  /** On a full disk the counts live in this process alone until the next change finds room. */
  async #writeLedger(): Promise<void> {
    const text = Buffer.from(JSON.stringify(this.#ledger));
    await writeWhole(this.#files, join(this.#directory, ledgerName), text).catch(() => undefined);
  }
}

const ledgerName = 'ledger.json';

async function readLedger(files: DurableFiles, directory: string): Promise<Ledger> {
  const none = { batches: 0, samples: 0 };
  const fresh: Ledger = { version: 1, dropped: { ...none }, quarantined: { ...none }, doomed: [] };
  try {
    const text = await files.read(join(directory, ledgerName), 1 << 20);
    return ledgerSchema.parse(JSON.parse(text.toString('utf8')));
  } catch {
    // Not there yet, or spoiled: counts begin anew, and no batch hangs on them.
    return fresh;
  }
}
