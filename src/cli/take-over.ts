import { writeSync } from 'node:fs';
import type { TerminalHold } from '../wire/io.ts';
import { keyReader } from './keys.ts';

/** What is used of the process, so that a test can be one. */
export type HeldProcess = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'pid' | 'platform'> & {
  on(event: 'exit', listener: () => void): unknown;
  off(event: 'exit', listener: () => void): unknown;
  emit(event: 'SIGINT', signal: 'SIGINT'): unknown;
  kill(pid: number, signal: string): unknown;
};

/**
 * Holds the terminal for a live view. In raw mode the kernel makes no signals of keys any more, so Ctrl-C and Ctrl-Z are
 * done here: the one interrupts as SIGINT does, the other gives the terminal back, stops this job and takes it again when
 * the shell continues it. Whatever else ends the process (second Ctrl-C, SIGTERM, an exception) passes its exit event.
 */
export function takeOver(
  proc: HeldProcess,
  hold: TerminalHold,
  writeNow: (fd: number, text: string) => void = writeSync,
): () => void {
  const { stdin, stderr } = proc;
  const readKeys = keyReader();
  const sized = proc.stdout.isTTY ? proc.stdout : stderr;
  const raw = hold.key !== undefined && stdin.isTTY;
  let held = true;

  const enter = () => {
    if (raw) stdin.setRawMode(true);
    stderr.write(hold.enter);
  };
  const leave = () => {
    // Not by the stream: at exit nothing that is queued gets out any more.
    try {
      writeNow(stderr.fd, hold.leave);
    } catch {
      // The terminal is gone, and with it everything that could be put right.
    }
    try {
      if (raw) stdin.setRawMode(false);
    } catch {
      // The same.
    }
  };
  const suspend = () => {
    if (proc.platform === 'win32') return;
    leave();
    // The whole job, as the kernel would: whoever started us has to stop, too. Returns when the shell continues it.
    proc.kill(0, 'SIGTSTP');
    enter();
    hold.redraw();
  };
  const onData = (chunk: Buffer) => {
    for (const key of readKeys(chunk.toString('utf8'))) {
      if (!held) return;
      if (key === 'ctrl-c') proc.emit('SIGINT', 'SIGINT');
      else if (key === 'ctrl-z') suspend();
      else if (key === 'ctrl-l') hold.redraw();
      else hold.key?.(key);
    }
  };
  const ignore = () => undefined;
  const release = () => {
    if (!held) return;
    held = false;
    proc.off('exit', release);
    sized.off('resize', hold.redraw);
    if (raw) {
      stdin.off('data', onData);
      stdin.pause();
      stdin.off('error', ignore);
    }
    leave();
  };

  proc.on('exit', release);
  sized.on('resize', hold.redraw);
  if (raw) {
    stdin.on('error', ignore);
    stdin.on('data', onData);
    stdin.resume();
  }
  enter();
  return release;
}
