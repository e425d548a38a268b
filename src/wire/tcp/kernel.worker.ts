import {
  SOCK_STREAM,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_CLOEXEC,
  IPPROTO_TCP,
  TCP_INFO,
  SO_ERROR,
  SCHED_RR,
  SCHED_RESET_ON_FORK,
} from '../abi.ts';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { KernelClock } from '../clock.ts';
import { Epoll, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../epoll.ts';
import { check, errnoName, lastErrno, libc, memory, SystemCallError } from '../libc.ts';
import {
  type ControlMessages,
  controlMessages,
  MessageBuffers,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  readControl,
  SCM_TSTAMP,
  SO_EE_ORIGIN,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_SOCKET,
} from '../msghdr.ts';
import { TCP_NOTSENT_LOWAT, UNSENT_BYTES } from '../not-sent.ts';
import { AF_INET, AF_INET6, encodeSockaddr } from '../sockaddr.ts';
import { type Batch, type FromWorker, rowKind, rowLength, type ToWorker, type WorkerSetup } from './protocol.ts';
import { Tap } from './tap-socket.ts';
import { parseTcpInfo, type TcpInfo, tcpInfoSize } from './tcp-info.ts';

/**
 * The thread that owns the sockets. It does nothing but wait, read with the kernel's receive stamp, write, and pass on, so that
 * whatever keeps the main thread busy (JSON, TLS, garbage collection) cannot delay a read or colour a time.
 */

const TCP_NODELAY = 1;
const EINPROGRESS = 115;
const EAGAIN = 11;
const EINTR = 4;
const SHUT_WR = 1;

/** Unread by the main thread: beyond this we stop reading, so that a peer that never ends costs no memory. */
const pauseAboveBytes = 8 << 20;
const readBytes = 256 << 10;
/** While only deliveries wait, they are passed on at most this often: their times are already taken. */
const batchEveryMs = 1;
/**
 * With more connections than this, waking for every token costs more than reading it. The thread then rests this long between
 * two rounds: the kernel has stamped what comes meanwhile, and only two reads' worth of one stream within it become one.
 */
const manyConnections = 64;
const restMs = 0.5;

interface Connection {
  id: number;
  fd: number;
  port: number;
  localPort: number;
  state: 'connecting' | 'open';
  connectMs: number;
  received: number;
  unconsumed: number;
  sent: number;
  queue: Uint8Array[];
  queuedShutdown: boolean;
  interest: number;
  readEnded: boolean;
}

const port = parentPort as MessagePort;
const setup = workerData as WorkerSetup;
const c = libc();
const clock = new KernelClock();
const epoll = new Epoll(256);
const message = new MessageBuffers(readBytes, 512);
const control: ControlMessages = controlMessages();
const option = memory(tcpInfoSize);
const optionLength = memory(4);
const address = memory(28);
const connections = new Map<number, Connection>();
const byFd = new Map<number, Connection>();
const tap = setup.tap ? new Tap(clock) : null;

let rows = new Float64Array(rowLength * 256);
let rowCount = 0;
let chunks: Uint8Array[] = [];
let chunkBytes = 0;
let pending: FromWorker[] = [];
let lastFlushMs = 0;
let running = true;

const resting = new Int32Array(new SharedArrayBuffer(4));
beOnTime();
// Linux switches receive stamping on a moment after the first socket asks for it; one that always asks keeps it on, so that
// the first packets of the first connection are stamped as well.
const stampHolder = check(c.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
setInt(stampHolder, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE);
epoll.add(setup.wakeFd, EPOLLIN);
loop();

function loop(): void {
  while (running) {
    if (rowCount > 0 && connections.size > manyConnections) Atomics.wait(resting, 0, 0, restMs);
    const timeout = rowCount > 0 || pending.length > 0 ? Math.max(0, batchEveryMs) : 250;
    const count = epoll.wait(timeout);
    clock.sample();
    for (let i = 0; i < count; i++) dispatch(epoll.data(i), epoll.flags(i));
    drainPort();
    if (pending.length > 0 || clock.monoMs() - lastFlushMs >= batchEveryMs) flush();
  }
  flush();
  for (const connection of connections.values()) c.close(connection.fd);
  tap?.close();
  c.close(stampHolder);
  epoll.close();
  port.postMessage({
    rows: new Float64Array(0),
    bytes: new Uint8Array(0),
    events: [{ kind: 'stopped' }],
  } satisfies Batch);
  port.close();
}

/**
 * Realtime priority where it is allowed: a read that comes late joins segments of one stream into one delivery with one stamp.
 * Harmless, because this thread sleeps whenever there is nothing to read and stops reading what the main thread does not take.
 */
function beOnTime(): void {
  const parameter = memory(4);
  parameter.writeInt32LE(1, 0);
  c.sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, parameter);
}

function dispatch(fd: number, flags: number): void {
  if (fd === setup.wakeFd) {
    c.read(fd, option, 8);
    return;
  }
  if (tap?.owns(fd)) {
    drainTap();
    return;
  }
  const connection = byFd.get(fd);
  if (!connection) return;
  if (connection.state === 'connecting') {
    if (flags & (EPOLLOUT | EPOLLERR | EPOLLHUP)) finishConnect(connection);
    return;
  }
  if (flags & EPOLLERR) drainErrorQueue(connection);
  if (flags & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
  if (flags & EPOLLOUT && byFd.has(fd)) writeQueued(connection);
}

function drainPort(): void {
  for (let item = receiveMessageOnPort(port); item; item = receiveMessageOnPort(port)) {
    const order = item.message as ToWorker;
    if (order.kind === 'stop') running = false;
    else if (order.kind === 'connect') beginConnect(order);
    else obey(order);
  }
}

function obey(order: Exclude<ToWorker, { kind: 'stop' | 'connect' }>): void {
  const connection = connections.get(order.id);
  if (!connection) {
    // A close that crossed an error on its way: still answered, so that nobody waits.
    if (order.kind === 'close') tell({ kind: 'closed', id: order.id });
    if (order.kind === 'info')
      tell({ kind: 'info', id: order.id, phase: order.phase, atMs: clock.monoMs(), info: null });
    return;
  }
  switch (order.kind) {
    case 'write':
      connection.queue.push(order.bytes);
      if (connection.state === 'open') writeQueued(connection);
      break;
    case 'shutdown':
      connection.queuedShutdown = true;
      if (connection.state === 'open') writeQueued(connection);
      break;
    case 'info':
      tell({ kind: 'info', id: order.id, phase: order.phase, atMs: clock.monoMs(), info: info(connection) });
      break;
    case 'consumed':
      connection.unconsumed -= order.bytes;
      updateInterest(connection);
      break;
    case 'close':
      drop(connection);
      tell({ kind: 'closed', id: order.id });
      break;
  }
}

function beginConnect(order: Extract<ToWorker, { kind: 'connect' }>): void {
  try {
    const family = order.family === 4 ? AF_INET : AF_INET6;
    const fd = check(
      c.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP),
      'socket',
      order.address,
    );
    const connection: Connection = {
      id: order.id,
      fd,
      port: order.port,
      localPort: 0,
      state: 'connecting',
      connectMs: 0,
      received: 0,
      unconsumed: 0,
      sent: 0,
      queue: [],
      queuedShutdown: false,
      interest: EPOLLOUT,
      readEnded: false,
    };
    connections.set(order.id, connection);
    byFd.set(fd, connection);
    setInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (order.bulk) setInt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    setInt(fd, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE);
    epoll.add(fd, EPOLLOUT);
    if (tap) {
      const opened = tap.open(order.port);
      if (opened !== null) epoll.add(opened, EPOLLIN);
      connection.localPort = tap.reserve(fd, family, order.id);
    }
    const length = encodeSockaddr(address, order.address, order.port);
    connection.connectMs = clock.monoMs();
    tell({ kind: 'connecting', id: order.id, atMs: connection.connectMs });
    if (c.connect(fd, address, length) < 0 && lastErrno() !== EINPROGRESS) {
      const errno = errnoName(lastErrno());
      drop(connection);
      tell({ kind: 'failed', id: order.id, operation: 'connect', errno });
    }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    tell({ kind: 'failed', id: order.id, operation: error.operation, errno: error.errno });
  }
}

function finishConnect(connection: Connection): void {
  const { id, fd } = connection;
  const errno = getInt(fd, SOL_SOCKET, SO_ERROR);
  if (errno !== 0) {
    drop(connection);
    tell({ kind: 'failed', id, operation: 'connect', errno: errnoName(errno) });
    return;
  }
  const atMs = clock.monoMs();
  connection.state = 'open';
  const first = info(connection);
  // Stamps of what leaves need an established socket: OPT_ID counts bytes from here.
  setInt(
    fd,
    SOL_SOCKET,
    SO_TIMESTAMPING,
    SOF_TIMESTAMPING.RX_SOFTWARE |
      SOF_TIMESTAMPING.TX_SOFTWARE |
      SOF_TIMESTAMPING.TX_ACK |
      SOF_TIMESTAMPING.SOFTWARE |
      SOF_TIMESTAMPING.OPT_ID |
      SOF_TIMESTAMPING.OPT_TSONLY,
  );
  drainTap();
  const synAckMs = tap?.synAckMs(id) ?? null;
  tell({ kind: 'connected', id, atMs, synAckMs, info: first });
  updateInterest(connection);
  writeQueued(connection);
}

/** Everything that the kernel holds for this connection, each read with the stamp of its last segment. */
function receive(connection: Connection): void {
  while (connection.unconsumed <= pauseAboveBytes && !connection.readEnded) {
    message.reset();
    const got = c.recvmsg(connection.fd, message.header, MSG_DONTWAIT);
    if (got < 0) {
      const errno = lastErrno();
      if (errno === EINTR) continue;
      if (errno !== EAGAIN) fail(connection, 'read', errno);
      return;
    }
    if (got === 0) {
      connection.readEnded = true;
      drainTap();
      tell({ kind: 'end', id: connection.id });
      updateInterest(connection);
      return;
    }
    const readAtMs = clock.monoMs();
    readControl(message.control, message.controlLength, control);
    let atMs = readAtMs;
    let stamp = 0;
    if (control.hasStamp) {
      const kernelMs = clock.toMonoMs(control.stampSec, control.stampNsec);
      // A stamp from the future or from before the connection is a stepped wall clock, not a fact.
      if (kernelMs <= readAtMs + 0.05 && kernelMs >= connection.connectMs - 0.05) {
        atMs = Math.min(kernelMs, readAtMs);
        stamp = 1;
      }
    }
    connection.received += got;
    connection.unconsumed += got;
    const bytes = new Uint8Array(got);
    bytes.set(message.data.subarray(0, got));
    row(rowKind.delivery, connection.id, connection.received, atMs, readAtMs, stamp, got);
    chunks.push(bytes);
    chunkBytes += got;
    if (got < readBytes) break;
  }
  updateInterest(connection);
}

function writeQueued(connection: Connection): void {
  const { fd, id } = connection;
  while (connection.queue.length > 0) {
    const bytes = connection.queue[0] as Uint8Array;
    const calledMs = clock.monoMs();
    const sent = c.send(fd, bytes, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      const errno = lastErrno();
      if (errno === EINTR) continue;
      if (errno !== EAGAIN) fail(connection, 'write', errno);
      break;
    }
    connection.sent += sent;
    tell({ kind: 'sending', id, endOffset: connection.sent, calledMs });
    if (sent === bytes.length) {
      connection.queue.shift();
      tell({ kind: 'flushed', id, endOffset: connection.sent });
    } else connection.queue[0] = bytes.subarray(sent);
  }
  if (connection.queue.length === 0 && connection.queuedShutdown) {
    connection.queuedShutdown = false;
    c.shutdown(fd, SHUT_WR);
  }
  updateInterest(connection);
}

/** Transmit stamps: ee_data is the offset of the last byte of a send since stamping was switched on, minus one. */
function drainErrorQueue(connection: Connection): void {
  for (;;) {
    message.reset();
    if (c.recvmsg(connection.fd, message.header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    readControl(message.control, message.controlLength, control);
    if (!control.hasError || control.errorOrigin !== SO_EE_ORIGIN.TIMESTAMPING || !control.hasStamp) continue;
    const atMs = clock.toMonoMs(control.stampSec, control.stampNsec);
    if (control.errorInfo === SCM_TSTAMP.SND)
      tell({ kind: 'left', id: connection.id, endOffset: control.errorData + 1, atMs });
    else if (control.errorInfo === SCM_TSTAMP.ACK)
      tell({ kind: 'acked', id: connection.id, endOffset: control.errorData + 1, atMs });
  }
}

function drainTap(): void {
  if (!tap) return;
  const complete = tap.drain((id, startOffset, endOffset, atMs, tsval, ackedOffset) => {
    row(rowKind.segment, id, startOffset, endOffset, atMs, tsval, ackedOffset);
  });
  if (!complete) tell({ kind: 'tapLoss' });
}

function info(connection: Connection): TcpInfo | null {
  optionLength.writeUInt32LE(tcpInfoSize, 0);
  if (c.getsockopt(connection.fd, IPPROTO_TCP, TCP_INFO, option, optionLength) < 0) return null;
  return parseTcpInfo(option, optionLength.readUInt32LE(0));
}

function fail(connection: Connection, operation: string, errno: number): void {
  drainTap();
  const { id } = connection;
  drop(connection);
  tell({ kind: 'error', id, operation, errno: errnoName(errno) });
}

function drop(connection: Connection): void {
  connections.delete(connection.id);
  byFd.delete(connection.fd);
  epoll.remove(connection.fd);
  c.close(connection.fd);
  tap?.release(connection.id);
}

function updateInterest(connection: Connection): void {
  if (connection.state !== 'open' || !byFd.has(connection.fd)) return;
  const reading = connection.unconsumed <= pauseAboveBytes && !connection.readEnded ? EPOLLIN : 0;
  const wanted = reading | (connection.queue.length > 0 ? EPOLLOUT : 0);
  if (wanted === connection.interest) return;
  connection.interest = wanted;
  epoll.modify(connection.fd, wanted);
}

function setInt(fd: number, level: number, name: number, value: number): void {
  option.writeInt32LE(value, 0);
  c.setsockopt(fd, level, name, option, 4);
}

function getInt(fd: number, level: number, name: number): number {
  optionLength.writeUInt32LE(4, 0);
  check(c.getsockopt(fd, level, name, option, optionLength), 'getsockopt');
  return option.readInt32LE(0);
}

function row(kind: number, id: number, a: number, b: number, d: number, e: number, f: number): void {
  // Rows are read before the events of a batch, so what was told earlier has to leave first.
  if (pending.length > 0) flush();
  if ((rowCount + 1) * rowLength > rows.length) {
    const larger = new Float64Array(rows.length * 2);
    larger.set(rows);
    rows = larger;
  }
  rows.set([kind, id, a, b, d, e, f], rowCount * rowLength);
  rowCount++;
}

function tell(event: FromWorker): void {
  pending.push(event);
}

function flush(): void {
  lastFlushMs = clock.monoMs();
  if (rowCount === 0 && pending.length === 0) return;
  const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array<ArrayBuffer>) : new Uint8Array(chunkBytes);
  if (chunks.length > 1) {
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  }
  const batch: Batch = { rows: rows.slice(0, rowCount * rowLength), bytes, events: pending };
  port.postMessage(batch, [batch.rows.buffer as ArrayBuffer, bytes.buffer]);
  rowCount = 0;
  chunks = [];
  chunkBytes = 0;
  pending = [];
}
