import {
  countPacket,
  readUdpSentMs,
  readUdpSequence,
  udpHeaderBytes,
  udpTally,
  writeUdpHeader,
} from '../iperf/datagram.ts';
import { addressOf, lastErrno, memory } from '../libc.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSGHDR_BYTES, SO_TIMESTAMPNS, SOL_SOCKET } from '../msghdr.ts';
import { endedBy, returnBudget, streamField, takeBudget } from './layout.ts';
import { Pace } from './pace.ts';
import { callFailed, endRunner, type Runner, type RunnerContext } from './runner.ts';

/** Packets per system call. */
const BATCH = 64;
const IOVEC_BYTES = 16;
/** struct mmsghdr: a msghdr, the length, padding. */
const MMSGHDR_BYTES = MSGHDR_BYTES + 8;
/** A cmsghdr and one struct timespec. */
const CONTROL_BYTES = 32;
/** With MSG_TRUNC a datagram's true length is told although only its header is copied. */
const MSG_TRUNC = 0x20;
const ECONNREFUSED = 111;
const EMSGSIZE = 90;

/**
 * An array of struct mmsghdr, each with a buffer of its own inside of `data`. Hold on to the whole value: the kernel follows the
 * pointers in `headers` and `iovecs`, which the garbage collector does not see.
 */
interface Messages {
  headers: Buffer;
  iovecs: Buffer;
  data: Buffer;
  control: Buffer;
}

function messages(dataBytes: number, controlBytes: number): Messages {
  const [headers, data] = [memory(BATCH * MMSGHDR_BYTES), memory(BATCH * dataBytes)];
  const [iovecs, control] = [memory(BATCH * IOVEC_BYTES), memory(Math.max(1, BATCH * controlBytes))];
  for (let i = 0; i < BATCH; i++) {
    iovecs.writeBigUInt64LE(addressOf(data) + BigInt(i * dataBytes), i * IOVEC_BYTES);
    iovecs.writeBigUInt64LE(BigInt(dataBytes), i * IOVEC_BYTES + 8);
    const header = i * MMSGHDR_BYTES;
    headers.writeBigUInt64LE(addressOf(iovecs) + BigInt(i * IOVEC_BYTES), header + 16);
    headers.writeUInt32LE(1, header + 24);
    if (controlBytes > 0) headers.writeBigUInt64LE(addressOf(control) + BigInt(i * controlBytes), header + 32);
  }
  return { headers, iovecs, data, control };
}

/** Sends what is due, in one sendmmsg; every packet carries the time and its number. */
export function udpSender(fd: number, context: RunnerContext): Runner {
  const { c, counters, offset, setup, budget, filler } = context;
  const { blockBytes, counters64, budgeted } = setup;
  const pace = new Pace(setup.bitsPerS);
  const batch = messages(blockBytes, 0);
  const { data } = batch;
  for (let i = 0; i < BATCH; i++) filler.copy(data, i * blockBytes, 0, blockBytes);
  let next = 1;
  const runner: Runner = {
    fd,
    ready: true,
    delayMs: (nowMs) => pace.delayMs(nowMs),
    step: (nowMs) => {
      const due = Math.min(BATCH, Math.max(1, Math.ceil(pace.dueBytes(nowMs) / blockBytes)));
      const allowed = budgeted ? takeBudget(budget, due * blockBytes) : due * blockBytes;
      const count = Math.ceil(allowed / blockBytes);
      if (count === 0) return endRunner(runner, context, endedBy.budget);
      for (let i = 0; i < count; i++) writeUdpHeader(data, i * blockBytes, nowMs, next + i, counters64);
      const result = c.sendmmsg(fd, batch.headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
      const sent = Math.max(0, result);
      if (budgeted && sent < count) returnBudget(budget, Math.max(0, allowed - sent * blockBytes));
      next += sent;
      counters[offset + streamField.bytes]! += sent * blockBytes;
      counters[offset + streamField.packets]! += sent;
      pace.sent(sent * blockBytes);
      if (result >= 0) return true;
      const errno = lastErrno();
      // The ICMP error of an earlier packet: told once, and not the fault of this one.
      if (errno === ECONNREFUSED) return true;
      if (errno === EMSGSIZE) return endRunner(runner, context, endedBy.error, errno);
      return callFailed(runner, context, errno);
    },
  };
  return runner;
}

/** Receives in batches; only headers are copied, and the kernel's stamp tells when each packet came. */
export function udpReceiver(fd: number, context: RunnerContext, epochMs: number): Runner {
  const { c, counters, offset, setup } = context;
  const headerBytes = udpHeaderBytes(setup.counters64);
  const batch = messages(headerBytes, CONTROL_BYTES);
  const tally = udpTally();
  const take = (i: number, nowMs: number) => {
    const { headers, data, control } = batch;
    const header = i * MMSGHDR_BYTES;
    const bytes = headers.readUInt32LE(header + MSGHDR_BYTES);
    if (bytes < headerBytes) return 0;
    const at = i * headerBytes;
    const receivedMs = stampMs(control, i * CONTROL_BYTES, headers.readUInt32LE(header + 40), epochMs) ?? nowMs;
    countPacket(tally, readUdpSequence(data, at, setup.counters64), readUdpSentMs(data, at), receivedMs);
    return bytes;
  };
  const runner: Runner = {
    fd,
    ready: true,
    delayMs: () => 0,
    step: (nowMs) => {
      // The kernel overwrites the length of the control buffer with what it used.
      for (let i = 0; i < BATCH; i++) batch.headers.writeUInt32LE(CONTROL_BYTES, i * MMSGHDR_BYTES + 40);
      const count = c.recvmmsg(fd, batch.headers, BATCH, MSG_DONTWAIT | MSG_TRUNC, null);
      if (count < 0) {
        const errno = lastErrno();
        return errno === ECONNREFUSED || callFailed(runner, context, errno);
      }
      let bytes = 0;
      for (let i = 0; i < count; i++) bytes += take(i, nowMs);
      counters[offset + streamField.bytes]! += bytes;
      counters[offset + streamField.packets] = tally.packets;
      counters[offset + streamField.lost] = tally.lost;
      counters[offset + streamField.outOfOrder] = tally.outOfOrder;
      counters[offset + streamField.jitterMs] = tally.jitterMs;
      return true;
    },
  };
  return runner;
}

/** The SO_TIMESTAMPNS stamp, ms since `epochMs` of the wall clock so that a double keeps its microseconds. */
function stampMs(control: Buffer, at: number, length: number, epochMs: number): number | null {
  if (length < CONTROL_BYTES) return null;
  if (control.readInt32LE(at + 8) !== SOL_SOCKET || control.readInt32LE(at + 12) !== SO_TIMESTAMPNS) return null;
  const seconds = control.readUInt32LE(at + 16) + control.readUInt32LE(at + 20) * 2 ** 32;
  return seconds * 1000 - epochMs + control.readUInt32LE(at + 24) / 1e6;
}
