import type { ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Clock } from '../wire/io.ts';

const LOOK_EVERY_MS = 15;
/** TCP_LISTEN in /proc/net/tcp. */
const LISTEN = '0A';

/**
 * Waits until something listens on `port` in the child's namespace, by reading the kernel's tables: no connection is made, so
 * the service sees nothing of it.
 * @returns undefined when it listens, else why it never will
 */
export async function awaitPort(
  child: ChildProcess,
  port: number,
  clock: Clock,
  timeoutMs: number,
): Promise<string | undefined> {
  const untilMs = clock.monoMs() + timeoutMs;
  while (clock.monoMs() < untilMs) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
      return `it ended with ${child.signalCode ?? `exit code ${child.exitCode ?? 'none'}`}`;
    if (listensInside(child.pid, port)) return undefined;
    await clock.sleep(LOOK_EVERY_MS);
  }
  return `nothing listens on port ${port} after ${timeoutMs / 1000} s`;
}

function listensInside(pid: number, port: number): boolean {
  try {
    // Until its launcher has moved into the host's namespace, the child shows the tables of ours.
    if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return false;
    return ['tcp', 'tcp6'].some((table) => listens(readFileSync(`/proc/${pid}/net/${table}`, 'latin1'), port));
  } catch {
    // The process has just ended, or IPv6 is not in the kernel.
    return false;
  }
}

/** Whether a table of /proc/net/tcp{,6} has a listening socket on the port. */
export function listens(table: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === LISTEN && (local?.endsWith(suffix) ?? false);
  });
}
