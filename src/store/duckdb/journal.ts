import { open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { Batch } from '../store.ts';

/** A batch that has been acknowledged, or is about to be. */
export interface Promised {
  /** Rising from one to the next. */
  no: number;
  receivedMs: number;
  batch: Batch;
}

/** Length and checksum of what follows, 32 bits each. */
const HEADER = 8;

/**
 * What has been promised and is in no table yet: batches one behind the other, on the disk before their agents are told. The engine
 * is given many at once, which costs it half of what small transactions do, and agents do not wait for that. Files are written in
 * turns: when all of one is in the tables it is removed.
 */
export class Journal {
  readonly #prefix: string;
  /** Files of before, which must go when what they hold is in the tables. */
  #old: string[];
  #oldOctets: number;
  #sequence: number;
  #file: { handle: FileHandle; path: string; end: number } | undefined;

  private constructor(prefix: string, old: { paths: string[]; octets: number }, sequence: number) {
    this.#prefix = prefix;
    this.#old = old.paths;
    this.#oldOctets = old.octets;
    this.#sequence = sequence;
  }

  /** Opens the journal beside a database, with what a crash has left in it. */
  static async open(prefix: string): Promise<{ journal: Journal; found: Promised[] }> {
    const numbers = (await readdir(dirname(prefix)))
      .filter((name) => name.startsWith(`${basename(prefix)}.`))
      .map((name) => Number(name.slice(basename(prefix).length + 1)))
      .filter((number) => Number.isSafeInteger(number))
      .sort((a, b) => a - b);
    const paths = numbers.map((number) => `${prefix}.${number}`);
    const found: Promised[] = [];
    let octets = 0;
    for (const path of paths) {
      const whole = await readFile(path);
      octets += whole.length;
      for (const next of recordsOf(whole, path)) {
        // A write that failed may have left more than what was written over it.
        if (next.no <= (found.at(-1)?.no ?? 0)) break;
        found.push(next);
      }
    }
    return { journal: new Journal(prefix, { paths, octets }, (numbers.at(-1) ?? 0) + 1), found };
  }

  /** Octets on the disk. */
  get size(): number {
    return this.#oldOctets + (this.#file?.end ?? 0);
  }

  /** Resolves when a crash can no longer lose them; after a rejection none of them is there. */
  async write(batches: readonly Promised[]): Promise<void> {
    const file = (this.#file ??= await this.#begin());
    const octets = Buffer.concat(batches.flatMap(recordOf));
    try {
      // A short write is one that the disk had no room for.
      const { bytesWritten } = await file.handle.write(octets, 0, octets.length, file.end);
      if (bytesWritten < octets.length)
        await file.handle.write(octets, bytesWritten, octets.length - bytesWritten, file.end + bytesWritten);
      await file.handle.datasync();
      file.end += octets.length;
    } catch (error) {
      await file.handle.truncate(file.end).catch(() => this.turn());
      throw error;
    }
  }

  /** What is written from now on goes to a new file. @returns the files until now, for `drop` */
  async turn(): Promise<readonly string[]> {
    if (this.#file) {
      const { handle, path, end } = this.#file;
      this.#oldOctets += end;
      this.#file = undefined;
      this.#old.push(path);
      await handle.close().catch(() => {});
    }
    return [...this.#old];
  }

  /** Removes files of which everything is in the tables. */
  async drop(paths: readonly string[]): Promise<void> {
    for (const path of paths) await rm(path, { force: true });
    this.#old = this.#old.filter((path) => !paths.includes(path));
    // Each turn is followed by its drop, or by one that takes all.
    if (this.#old.length === 0) this.#oldOctets = 0;
  }

  async close(): Promise<void> {
    await this.turn();
  }

  async #begin(): Promise<{ handle: FileHandle; path: string; end: number }> {
    const path = `${this.#prefix}.${this.#sequence++}`;
    const handle = await open(path, 'wx', 0o600);
    // The name has to survive, too.
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return { handle, path, end: 0 };
  }
}

/** Where the journal of a database lies. */
export const journalOf = (database: string) => join(dirname(database), `${basename(database)}.journal`);

function recordOf({ no, receivedMs, batch: { key, agent, columns, rows } }: Promised): [Buffer, Buffer] {
  const body = serialize({ no, receivedMs, batch: { key, agent, columns, ...(rows && { rows }) } });
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(crc32(body), 4);
  return [header, body];
}

/** Records up to the first that is not whole: the one that a crash has cut, whose agent was told nothing. */
function* recordsOf(octets: Buffer, path: string): Generator<Promised> {
  for (let at = 0; at + HEADER <= octets.length;) {
    const length = octets.readUInt32LE(at);
    const body = octets.subarray(at + HEADER, at + HEADER + length);
    if (length === 0 || body.length < length || crc32(body) !== octets.readUInt32LE(at + 4)) return;
    try {
      yield deserialize(body) as Promised;
    } catch (error) {
      throw new Error(`"${path}" was written by another version of inferpath: open it with that one`, { cause: error });
    }
    at += HEADER + length;
  }
}
