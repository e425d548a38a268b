import { O_CLOEXEC } from './abi.ts';
import { check, libc } from './libc.ts';

/**
 * Anonymous network namespaces: one lives only as long as an open descriptor or a process inside it, so nothing is left
 * behind when its owner dies in whatever way. Both calls change the calling THREAD only; call them on a worker thread.
 */
const CLONE_NEWNET = 0x40000000;
const O_RDONLY = 0;

/** The thread's own network namespace, as a descriptor that does not pass to children. @throws SystemCallError */
export function openOwnNamespace(): number {
  const path = '/proc/thread-self/ns/net';
  return check(libc().open(path, O_RDONLY | O_CLOEXEC, 0), 'open', path);
}

/** Moves the thread into a new, empty namespace (lo down) and returns its descriptor. @throws SystemCallError */
export function enterNewNamespace(): number {
  check(libc().unshare(CLONE_NEWNET), 'unshare', 'network namespace');
  return openOwnNamespace();
}

/** Moves the thread into the namespace behind `descriptor`. @throws SystemCallError */
export function enterNamespace(descriptor: number): void {
  check(libc().setns(descriptor, CLONE_NEWNET), 'setns', `descriptor ${descriptor}`);
}
