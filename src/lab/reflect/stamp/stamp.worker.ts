import { parentPort, workerData } from 'node:worker_threads';
import { readClockSync } from '../../../wire/clock-sync.ts';
import { KernelClock } from '../../../wire/clock.ts';
import { DatagramBatch, TOO_LONG } from '../../../wire/batch/datagram-batch.ts';
import { type ErrorEstimate, errorEstimate } from '../../../wire/stamp.ts';
import { Reflection, type ReflectionPolicy, type StampReply } from './reflection.ts';
import { type StampCounter, stampCounters } from './stats.ts';

/**
 * The thread of a STAMP reflector: it owns the socket and does nothing but receive a batch, make the replies in place, take the
 * time and send. T2 is the kernel's receive stamp; T3 is read once per batch, just before the system call that sends it.
 */
export interface StampWorkerSetup {
  address: string;
  port: number;
  policy: Omit<ReflectionPolicy, 'key'> & { key: Uint8Array | null };
  secret: Uint8Array;
  /** An eventfd of the starter: written when this is to end. */
  wakeFd: number;
  counters: Float64Array;
}
export type StampWorkerMessage =
  | { kind: 'ready'; address: string; port: number }
  | { kind: 'failed'; message: string; code: string };

interface Prepared {
  reply: StampReply;
  slot: Buffer;
  /** Its number in the batch as it was received. */
  place: number;
}

/** How often the kernel is asked how good its clock is. */
const CLOCK_EVERY_MS = 1000;

function main(setup: StampWorkerSetup): void {
  const batch = new DatagramBatch(setup.address, setup.port, setup.wakeFd);
  try {
    const { address, port } = batch.local();
    tell({ kind: 'ready', address, port });
    reflectAll(batch, setup);
  } finally {
    batch.close();
  }
}

function reflectAll(batch: DatagramBatch, { policy, secret, counters }: StampWorkerSetup): void {
  const clock = new KernelClock();
  const key = policy.key === null ? null : Buffer.from(policy.key);
  const reflection = new Reflection({ ...policy, key }, Buffer.from(secret), clock.monoMs());
  const replies: Prepared[] = [];
  let error = ownError();
  let askedMs = clock.monoMs();
  while (batch.wait()) {
    const nowMs = clock.monoMs();
    if (nowMs - askedMs > CLOCK_EVERY_MS) {
      error = ownError();
      askedMs = nowMs;
    }
    const count = batch.receive();
    replies.length = 0;
    for (let i = 0; i < count; i++) {
      const { length, sec, nsec, stamped, ttl, tos } = batch.arrived(i);
      if (!stamped) bump(counters, 'unstamped', 1);
      const slot = batch.slot(i);
      const arrival = { slot, length, peer: batch.peer(i), received: { sec, nsec }, ttl, tos, nowMs };
      const reply = reflection.reflect(arrival, error);
      if (reply === null) continue;
      batch.reply(i, replies.length, reply.length, reply.tos);
      replies.push({ reply, slot, place: i });
    }
    bump(counters, 'received', count);
    send(batch, reflection, replies, counters);
    report(reflection, batch, counters);
  }
}

function ownError(): ErrorEstimate {
  const { synchronised, errorSec } = readClockSync();
  return errorEstimate(errorSec, synchronised);
}

/** Sends in order. What the kernel refuses is tried once more at its fallback size, else given up and counted. */
function send(
  batch: DatagramBatch,
  reflection: Reflection,
  replies: readonly Prepared[],
  counters: Float64Array,
): void {
  for (let done = 0; done < replies.length;) {
    const [sec, nsec] = batch.now();
    for (let i = done; i < replies.length; i++) reflection.seal(replies[i]!.slot, { sec, nsec });
    const sent = batch.send(done, replies.length);
    if (sent > 0) {
      bump(counters, 'reflected', sent);
      done += sent;
      continue;
    }
    const { reply, slot, place } = replies[done]!;
    const { fallback } = reply;
    reply.fallback = null;
    if (sent === TOO_LONG && fallback !== null) batch.resize(place, reflection.tooLarge(slot, fallback));
    else {
      bump(counters, 'unsent', 1);
      done++;
    }
  }
}

function bump(counters: Float64Array, name: StampCounter, by: number): void {
  counters[stampCounters.indexOf(name)]! += by;
}

function report(reflection: Reflection, batch: DatagramBatch, counters: Float64Array): void {
  for (const [name, value] of Object.entries({ ...reflection.unanswered, dropped: batch.dropped }))
    counters[stampCounters.indexOf(name as StampCounter)] = value;
  counters[stampCounters.indexOf('sessions')] = reflection.sessions.size;
}

function tell(message: StampWorkerMessage): void {
  parentPort?.postMessage(message);
}

try {
  main(workerData as StampWorkerSetup);
} catch (error) {
  const { message, errno } = error as { message: string; errno?: string };
  tell({ kind: 'failed', message, code: errno ?? 'EUNKNOWN' });
}
