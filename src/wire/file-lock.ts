import { constants } from 'node:os';
import { openSync } from 'node:fs';
import { lastErrno, libc, SystemCallError } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Makes this process the only one that holds `path` (flock(2)). The kernel gives it back when the process ends, however it ends, so
 * that no stale lock is ever in the way. Linux only; elsewhere it is always granted.
 * @returns false when another process has it
 */
export function lockFile(path: string, platform: string): boolean {
  if (platform !== 'linux') return true;
  // Never closed: it is held for as long as this process lives.
  const fd = openSync(path, 'a', 0o600);
  if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = lastErrno();
  if (errno === constants.errno.EWOULDBLOCK) return false;
  throw new SystemCallError('flock', errno, path);
}
