import { basename, dirname } from 'node:path';
import type { DurableFiles } from '../../src/wire/durable-files.ts';

/** What happens to a disk. Every primitive is one step; a crash comes before or in the middle of one. */
export interface FakeDisk extends DurableFiles {
  /** Steps until the crash; null: none. A crashed disk never answers again: its process is gone. */
  crashAfter(steps: number | null, share?: number): void;
  /** Octets that fit; beyond, `create` fails with ENOSPC and leaves what it had written. */
  capacity: number;
  /** The next process finds what survived. Power loss also takes changes of directories that nobody synchronised, newest first. */
  reboot(loses: 'process' | 'power', keptShare?: number): void;
  readonly crashed: boolean;
  /** Changes one octet of a file. */
  spoil(path: string, at: number): void;
  contents(): ReadonlyMap<string, Buffer>;
}

interface Change {
  directory: string;
  undo: () => void;
}

/** Files in memory with the faults of real ones. */
export function fakeDisk(): FakeDisk {
  const files = new Map<string, Buffer>();
  let unsynced: Change[] = [];
  let stepsLeft: number | null = null;
  let tornShare = 0.5;
  let crashed = false;
  const never = new Promise<never>(() => undefined);

  /** True when the process dies in this step. */
  const diesNow = () => {
    if (!crashed && stepsLeft !== null && stepsLeft-- <= 0) crashed = true;
    return crashed;
  };
  const set = (path: string, bytes: Buffer | undefined) => {
    const before = files.get(path);
    if (bytes) files.set(path, bytes);
    else files.delete(path);
    return () => {
      if (before) files.set(path, before);
      else files.delete(path);
    };
  };
  const used = () => [...files.values()].reduce((sum, { length }) => sum + length, 0);
  const fail = (code: string, path: string) => Promise.reject(Object.assign(new Error(`${code}: ${path}`), { code }));

  return {
    capacity: Infinity,
    get crashed() {
      return crashed;
    },
    makeDirectory: () => (diesNow() ? never : Promise.resolve()),
    list: (path) =>
      diesNow() ? never : Promise.resolve([...files.keys()].filter((f) => dirname(f) === path).map((f) => basename(f))),
    read: (path, maxBytes) => {
      if (diesNow()) return never;
      const bytes = files.get(path);
      if (!bytes) return fail('ENOENT', path);
      return bytes.length > maxBytes ? Promise.reject(new RangeError(path)) : Promise.resolve(Buffer.from(bytes));
    },
    create(path, bytes) {
      const wasAlive = !crashed;
      if (diesNow()) {
        if (wasAlive) set(path, Buffer.from(bytes.subarray(0, Math.floor(bytes.length * tornShare))));
        return never;
      }
      files.delete(path);
      const room = this.capacity - used();
      const undo = set(path, Buffer.from(bytes.subarray(0, Math.max(0, room))));
      unsynced.push({ directory: dirname(path), undo });
      return room < bytes.length ? fail('ENOSPC', path) : Promise.resolve();
    },
    rename: (from, to) => {
      if (diesNow()) return never;
      const bytes = files.get(from);
      if (!bytes) return fail('ENOENT', from);
      const [back, away] = [set(to, bytes), set(from, undefined)];
      unsynced.push({ directory: dirname(to), undo: () => (away(), back()) });
      return Promise.resolve();
    },
    remove: (path) => {
      if (diesNow()) return never;
      unsynced.push({ directory: dirname(path), undo: set(path, undefined) });
      return Promise.resolve();
    },
    syncDirectory: (path) => {
      if (diesNow()) return never;
      // A journal is written in order: what came before, anywhere, is there as well.
      const last = unsynced.findLastIndex(({ directory }) => directory === path);
      unsynced = unsynced.slice(last + 1);
      return Promise.resolve();
    },
    crashAfter(steps, share = 0.5) {
      stepsLeft = steps;
      tornShare = share;
    },
    reboot(loses, keptShare = 0) {
      if (loses === 'power')
        for (const change of unsynced.slice(Math.floor(unsynced.length * keptShare)).toReversed()) change.undo();
      unsynced = [];
      crashed = false;
      stepsLeft = null;
    },
    spoil(path, at) {
      const bytes = Buffer.from(files.get(path)!);
      bytes[at % bytes.length]! ^= 0x55;
      files.set(path, bytes);
    },
    contents: () => files,
  };
}
