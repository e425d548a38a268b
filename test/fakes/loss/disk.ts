import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeSync, openSync, closeSync } from 'node:fs';
import { join } from 'node:path';

/** A small disk of its own (tmpfs), which can be filled to the last block. */
export interface SmallDisk {
  path: string;
  /** Takes all but so many octets. */
  fill(leftBytes?: number): void;
  free(): void;
  leftBytes(): number;
  unmount(): void;
}

/** @returns null where this process may not mount */
export function smallDisk(path: string, mib: number): SmallDisk | null {
  mkdirSync(path, { recursive: true });
  const isMounted =
    process.platform === 'linux' &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', path]).status === 0;
  if (!isMounted) return null;
  const ballast = join(path, 'ballast');
  const leftBytes = () => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    leftBytes,
    fill: (left = 0) => {
      const file = openSync(ballast, 'a');
      const block = Buffer.alloc(1 << 16, 1);
      try {
        while (leftBytes() > left) writeSync(file, block, 0, Math.min(block.length, leftBytes() - left));
      } catch (error) {
        // Somebody else took the last block: it is as full as it can be.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    unmount: () => void spawnSync('umount', ['-l', path]),
  };
}
