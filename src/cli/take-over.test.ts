import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type HeldProcess, takeOver } from './take-over.ts';

/** A process on a terminal, and a diary of what happens to that terminal. */
function onTerminal({ stdinIsTty = true } = {}) {
  const diary: string[] = [];
  const stdin = Object.assign(new EventEmitter(), {
    isTTY: stdinIsTty,
    setRawMode: (on: boolean) => diary.push(on ? 'raw' : 'cooked'),
    resume: () => diary.push('reading'),
    pause: () => diary.push('not reading'),
  });
  const stdout = Object.assign(new EventEmitter(), { isTTY: true });
  const stderr = Object.assign(new EventEmitter(), { isTTY: true, fd: 2, write: (text: string) => diary.push(text) });
  const proc = Object.assign(new EventEmitter(), {
    stdin,
    stdout,
    stderr,
    pid: 1,
    platform: 'linux',
    kill: (pid: number, signal: string) => diary.push(`kill ${pid} ${signal}`),
  });
  const keys: string[] = [];
  let redraws = 0;
  const hold = {
    enter: 'ENTER',
    leave: 'LEAVE',
    key: (name: string) => keys.push(name),
    redraw: () => {
      redraws++;
    },
  };
  const writeNow = (_fd: number, text: string) => diary.push(text);
  return { proc, stdin, stdout, diary, keys, hold, writeNow, redraws: () => redraws };
}

const asProcess = (proc: unknown): HeldProcess => proc as HeldProcess;

describe('takeOver()', () => {
  test('takes raw mode and gives it back once, however often it is released', () => {
    const { proc, stdin, diary, hold, writeNow } = onTerminal();
    const release = takeOver(asProcess(proc), hold, writeNow);
    expect(diary).toEqual(['reading', 'raw', 'ENTER']);
    diary.length = 0;
    release();
    release();
    proc.emit('exit');
    expect(diary).toEqual(['not reading', 'LEAVE', 'cooked']);
    expect([stdin.listenerCount('data'), stdin.listenerCount('error'), proc.listenerCount('exit')]).toEqual([0, 0, 0]);
  });

  test('the end of the process gives the terminal back', () => {
    const { proc, diary, hold, writeNow } = onTerminal();
    takeOver(asProcess(proc), hold, writeNow);
    diary.length = 0;
    proc.emit('exit');
    expect(diary).toContain('LEAVE');
    expect(diary).toContain('cooked');
  });

  test('a terminal that is gone does not stand in the way of the end', () => {
    const { proc, hold } = onTerminal();
    takeOver(asProcess(proc), hold, () => {
      throw new Error('EIO');
    });
    expect(() => proc.emit('exit')).not.toThrow();
  });

  test('passes keys on, and none after it was released', () => {
    const { proc, stdin, keys, hold, writeNow } = onTerminal();
    const release = takeOver(
      asProcess(proc),
      { ...hold, key: (k) => (keys.push(k), k === 'q' && release()) },
      writeNow,
    );
    stdin.emit('data', Buffer.from('aqz'));
    expect(keys).toEqual(['a', 'q']);
  });

  test('Ctrl-C interrupts as SIGINT does', () => {
    const { proc, stdin, keys, hold, writeNow } = onTerminal();
    let interrupts = 0;
    proc.on('SIGINT', () => interrupts++);
    takeOver(asProcess(proc), hold, writeNow);
    stdin.emit('data', Buffer.from('\u0003'));
    expect([interrupts, keys]).toEqual([1, []]);
  });

  test('Ctrl-Z gives the terminal back, stops the job and takes the terminal again', () => {
    const { proc, stdin, diary, hold, writeNow, redraws } = onTerminal();
    takeOver(asProcess(proc), hold, writeNow);
    diary.length = 0;
    stdin.emit('data', Buffer.from('\u001a'));
    expect(diary).toEqual(['LEAVE', 'cooked', 'kill 0 SIGTSTP', 'raw', 'ENTER']);
    expect(redraws()).toBe(1);
  });

  test('a new size asks for a redraw', () => {
    const { proc, stdout, hold, writeNow, redraws } = onTerminal();
    const release = takeOver(asProcess(proc), hold, writeNow);
    stdout.emit('resize');
    release();
    stdout.emit('resize');
    expect(redraws()).toBe(1);
  });

  test('leaves stdin alone when it is no terminal', () => {
    const { proc, diary, hold, writeNow } = onTerminal({ stdinIsTty: false });
    takeOver(asProcess(proc), hold, writeNow)();
    expect(diary).toEqual(['ENTER', 'LEAVE']);
  });
});
