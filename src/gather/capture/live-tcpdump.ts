import { spawn } from 'node:child_process';
import type { Clock } from '../../wire/io.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { classicHeaderBytes } from '../../wire/pcap/classic.ts';
import { captureReader } from '../../wire/pcap/reader.ts';
import { FilterError } from './live-filter.ts';
import type { LiveCapture, LiveOptions, LiveStatistics } from './live.ts';

/** What tcpdump writes while we are busy is kept here; then it waits, and the kernel drops and counts. */
const maxQueuedBytes = 16 << 20;
const openTimeoutMs = 10_000;
const lookEveryMs = 5;

/**
 * An interface through `tcpdump -w -`: slower, with its counts only at the end, and good wherever tcpdump may capture and we may not.
 * @param why it is this way, for the user
 * @throws FilterError with the words of tcpdump where it cannot begin
 */
export async function tcpdumpCapture(
  name: string,
  { snapLength = 128, filter, promiscuous = false }: LiveOptions,
  { clock }: { clock: Pick<Clock, 'monoMs' | 'sleep'> },
  why: string,
): Promise<LiveCapture> {
  const args = ['-i', name, '-s', String(snapLength), '-n', '-U', '-w', '-', '--immediate-mode'];
  args.push('--time-stamp-precision', 'nano', ...(promiscuous ? [] : ['-p']));
  if (filter !== undefined) args.push('--', filter);
  const child = spawn('tcpdump', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const reader = captureReader();
  const queue: Buffer[] = [];
  let [queuedBytes, said, over]: [number, string, string | null] = [0, '', null];
  const closed = new Promise<void>((done) => {
    child.on('error', (error) => {
      over = `tcpdump: ${error.message}`;
      done();
    });
    child.on('close', (code, signal) => {
      over ??= `tcpdump ended with ${signal ?? `exit code ${code ?? 'none'}`}`;
      done();
    });
  });
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4096)));
  child.stdout.on('data', (chunk: Buffer) => {
    queue.push(chunk);
    queuedBytes += chunk.length;
    if (queuedBytes > maxQueuedBytes) child.stdout.pause();
  });

  /** One piece at a time: those after it wait in the queue, not in the reader. */
  const next = (frame: Frame): boolean => {
    while (!reader.next(frame)) {
      const chunk = queue.shift();
      if (!chunk) return false;
      queuedBytes -= chunk.length;
      if (queuedBytes < maxQueuedBytes / 2) child.stdout.resume();
      reader.push(chunk);
    }
    return true;
  };
  const isSilent = () => queue.length === 0 && over === null;
  const wait = async (maxMs: number): Promise<void> => {
    const untilMs = clock.monoMs() + maxMs;
    while (isSilent() && clock.monoMs() < untilMs) await clock.sleep(lookEveryMs);
  };

  // The header of the file comes when the interface is open and the filter compiled.
  await wait(openTimeoutMs);
  const [header] = queue;
  if (!header || header.length < classicHeaderBytes) {
    child.kill('SIGKILL');
    throw new FilterError(lastLine(said) || over || `tcpdump did not open ${name} within ${openTimeoutMs / 1000} s`);
  }
  return {
    how: `tcpdump -w - (${why}), ${snapLength} octets of each packet`,
    // Of the file header, in the order of octets of this machine, which is that of all ABIs that we know.
    linkType: header.readUInt32LE(20) & 0xffff,
    snapLength,
    next,
    wait,
    ended: () => (queue.length === 0 ? over : null),
    statistics: () => countsIn(said),
    close: async () => {
      if (over === null) child.kill('SIGINT');
      // Nobody reads any more; a full pipe would keep it from ending.
      child.stdout.resume();
      await closed;
      return countsIn(said);
    },
  };
}

/** The counts that tcpdump prints when it ends. Exported for its test. */
export function countsIn(said: string): LiveStatistics {
  const count = (pattern: RegExp) => {
    const match = pattern.exec(said);
    return match ? Number(match[1]) : null;
  };
  const received = count(/(\d+) packets? received by filter/);
  return { packets: received, drops: count(/(\d+) packets? dropped by kernel/), freezes: null };
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^tcpdump: /, '');
}
