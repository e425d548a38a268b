import { randomFillSync } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { O_CLOEXEC } from '../abi.ts';
import { Epoll, EPOLLET, EPOLLIN, EPOLLOUT } from '../epoll.ts';
import { check, libc, memory } from '../libc.ts';
import { type MoverSetup, type MoverStream, STREAM_FIELDS, viewsOf, WORKER_FIELDS, workerField } from './layout.ts';
import type { Runner, RunnerContext } from './runner.ts';
import { tcpReceiver, tcpSender } from './tcp-streams.ts';
import { udpReceiver, udpSender } from './udp-streams.ts';

/**
 * A thread that moves the octets of one or more streams: system calls on memory that is laid out beforehand, and nothing per
 * octet. It waits for its streams, moves until it is told to stop, and ends.
 */
const EVENTS = 64;
/** How long to wait for the sockets at most; the word that stops us comes by the eventfd anyway. */
const IDLE_MS = 100;
/** Waiting for less costs as much as it saves; what falls due meanwhile leaves in one call. */
const SHORTEST_WAIT_MS = 0.1;
const METER_EVERY_MS = 50;
const RUSAGE_THREAD = 1;
const PR_SET_TIMERSLACK = 29;
const FILLER_BYTES = 1 << 20;

const port = parentPort as MessagePort;
const setup = workerData as MoverSetup;
const c = libc();
const shared = viewsOf(setup.shared, setup.streams);
const epoll = new Epoll(EVENTS);
const timespec = memory(16);
const pollFd = memory(8);
const usage = memory(144);
const schedstat = memory(64);
const filler = memory(FILLER_BYTES);
// Random, because a link that compresses would be measured by how well it does.
for (let at = 0; at < FILLER_BYTES; at += 65_536) randomFillSync(filler, at, 65_536);
pollFd.writeInt32LE(epoll.fd, 0);
pollFd.writeUInt16LE(EPOLLIN, 4);
// Sleeps that end on time, not up to 50 µs later.
c.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);

const hr = process.hrtime();
const monoBaseMs = hr[0] * 1000 + hr[1] / 1e6 - performance.now();
const epochMs = Date.now();

port.once('message', (streams: MoverStream[]) => {
  const runners = new Map(streams.map((stream) => [stream.fd, makeRunner(stream)]));
  for (const { fd, role } of streams) watch(fd, role === 'send' ? EPOLLOUT : EPOLLIN);
  watch(setup.wakeFd, EPOLLIN);
  move(runners);
  epoll.close();
  port.postMessage('stopped');
  port.close();
});
port.postMessage('ready');

function makeRunner({ fd, role, index }: MoverStream): Runner {
  const context: RunnerContext = {
    c,
    setup,
    counters: shared.streams,
    offset: index * STREAM_FIELDS,
    budget: shared.budget,
    filler,
  };
  if (setup.protocol === 'tcp') return role === 'send' ? tcpSender(fd, context) : tcpReceiver(fd, context);
  return role === 'send' ? udpSender(fd, context) : udpReceiver(fd, context, epochMs);
}

/** Every stream in turn does what it can; when none can, the thread sleeps until one may. */
function move(runners: ReadonlyMap<number, Runner>): void {
  const all = [...runners.values()];
  const meter = startMeter();
  while (Atomics.load(shared.control, 0) === 0) {
    const nowMs = monoBaseMs + performance.now();
    let waitMs = IDLE_MS;
    let moved = false;
    let idle = false;
    for (const runner of all) {
      if (!runner.ready) {
        idle ||= runner.over !== true;
        continue;
      }
      const delayMs = runner.delayMs(nowMs);
      if (delayMs > 0) waitMs = Math.min(waitMs, Math.max(SHORTEST_WAIT_MS, delayMs));
      else if (runner.step(nowMs)) moved = true;
      else idle = true;
    }
    meter(nowMs);
    if (!moved) wait(runners, waitMs);
    else if (idle) wait(runners, 0);
  }
  meter(Infinity);
}

function wait(runners: ReadonlyMap<number, Runner>, waitMs: number): void {
  if (waitMs > 0) {
    timespec.writeUInt32LE(Math.floor(waitMs / 1000), 0);
    timespec.writeUInt32LE(Math.floor((waitMs % 1000) * 1e6), 8);
    c.ppoll(pollFd, 1, timespec, null, 8);
  }
  const count = epoll.wait(0);
  for (let i = 0; i < count; i++) {
    const runner = runners.get(epoll.data(i));
    if (runner && !runner.over) runner.ready = true;
  }
}

/** Keeps the CPU time of this thread where the main thread sees it: who is at 100 % is the bottleneck. */
function startMeter(): (nowMs: number) => void {
  const at = setup.worker * WORKER_FIELDS;
  const [user0, system0] = cpuMs();
  const waited0 = waitedMs();
  const sinceMs = monoBaseMs + performance.now();
  let nextMs = 0;
  shared.workers[at + workerField.sinceMs] = sinceMs;
  return (nowMs) => {
    if (nowMs < nextMs) return;
    nextMs = nowMs + METER_EVERY_MS;
    const [user, system] = cpuMs();
    shared.workers[at + workerField.userMs] = user - user0;
    shared.workers[at + workerField.systemMs] = system - system0;
    shared.workers[at + workerField.waitedMs] = waitedMs() - waited0;
    shared.workers[at + workerField.untilMs] = monoBaseMs + performance.now();
  };
}

function cpuMs(): [user: number, system: number] {
  c.getrusage(RUSAGE_THREAD, usage);
  const ms = (at: number) => usage.readUInt32LE(at) * 1000 + usage.readUInt32LE(at + 8) / 1000;
  return [ms(0), ms(16)];
}

/** How long this thread was ready to run and had no core: /proc/thread-self/schedstat, second number, ns. 0 where it is not told. */
function waitedMs(): number {
  const fd = c.open('/proc/thread-self/schedstat', O_CLOEXEC, 0);
  if (fd < 0) return 0;
  const got = c.read(fd, schedstat, schedstat.length);
  c.close(fd);
  return got > 0 ? Number(schedstat.toString('latin1', 0, got).split(' ')[1] ?? 0) / 1e6 : 0;
}

function watch(fd: number, interest: number): void {
  // Edge triggered: a runner remembers that it is ready until EAGAIN.
  check(epoll.add(fd, interest | EPOLLET), 'epoll_ctl');
}
