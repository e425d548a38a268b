import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Files that have to be there after a crash. Each call is one step that a crash can come before or after, so that a test can put
 * a crash, a full disk or a torn write between any two of them. Errors are those of node:fs, with their `code`.
 */
export interface DurableFiles {
  /** With its parents, for the owner alone; nothing when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, in no order. */
  list(path: string): Promise<string[]>;
  /** @throws RangeError when it is larger than `maxBytes` */
  read(path: string, maxBytes: number): Promise<Buffer>;
  /** A new file for the owner alone, on the medium when this resolves; a crash in between leaves any part of it. */
  create(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Nothing when it is not there. */
  remove(path: string): Promise<void>;
  /** Puts what was created, renamed and removed in a directory on the medium. */
  syncDirectory(path: string): Promise<void>;
}

/** The files of this machine. */
export const durableFiles: DurableFiles = {
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (path) => readdir(path),
  read: async (path, maxBytes) => {
    const { size } = await stat(path);
    if (size > maxBytes) throw new RangeError(`${path} is larger than ${maxBytes} bytes`);
    return readFile(path);
  },
  create: async (path, bytes) => {
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncDirectory: async (path) => {
    // Windows has no such call, and needs none: NTFS journals its directories.
    if (process.platform === 'win32') return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Ending of files that are being written; what carries it after a crash was never promised to anybody. */
export const unfinished = '.tmp';

/**
 * Writes a file so that whoever looks, also after a crash, sees all of the new one or all of the old one. When it fails, nothing
 * stays behind where that can be helped.
 */
export async function writeWhole(files: DurableFiles, path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}${unfinished}`;
  try {
    await files.create(draft, bytes);
    await files.rename(draft, path);
  } catch (error) {
    await files.remove(draft).catch(() => undefined);
    throw error;
  }
  await files.syncDirectory(dirname(path));
}
