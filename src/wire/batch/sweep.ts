import { KernelClock } from '../clock.ts';
import { libc, memory } from '../libc.ts';
import { type NicStamps, nicStamps } from '../nic-stamps.ts';
import { type Calibration, calibrate } from './calibrate.ts';
import { openWall } from './clocks.ts';
import type { Columns } from './columns.ts';
import { Flight, type SweepPlan } from './flight.ts';
import { NicTimes } from './nic-times.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { askForNicStamps, type SweepSocket } from './socket.ts';

/** What a sweep says of itself when it is over. */
export interface SweepEnd {
  /** The kinds of sockets used, in words. */
  sockets: string[];
  /** Null where the way needs no stamps of ours. */
  calibration: Calibration | null;
  /** Whether the network cards of this host stamp packets, too. Null as above. */
  nic: NicStamps | null;
  /** The largest step of the wall clock, ms: round trips across it are void. */
  clockStepMs: number;
  /** Octets of receive buffer that the kernel gave us, the smallest of the sockets. */
  receiveBuffer: number;
  /** From the first probe to the last answer or timeout, ms. */
  durationMs: number;
}

/** Messages per system call. */
const BATCH = 512;
/** What a small packet waiting in a socket takes of its buffer, with the kernel's overhead (skb->truesize). */
const PACKET_COST = 1280;
/** Probes on the way where the buffer is too small to hold all their answers at once; a path of any length spreads them. */
const WINDOW_MIN = 4096;
const WAIT_MAX_MS = 20;
const POLLIN = 1;
const POLLOUT = 4;

/**
 * Probes to many targets by few system calls: sendmmsg and recvmmsg over memory that was laid out once, an open-loop schedule
 * (a probe goes out when it is due, whatever became of the ones before), kernel stamps for both directions. Owned by one
 * thread, normally a worker of its own (sweep.worker.ts), so that nobody's event loop can disturb it.
 */
export class Sweep {
  readonly #columns: Columns;
  readonly #sockets: readonly SweepSocket[];
  readonly #flight: Flight;
  readonly #senders: readonly Sender[];
  readonly #receivers: readonly Receiver[];
  readonly #clock = new KernelClock();
  readonly #calibration: Calibration;
  readonly #nic: NicStamps;
  readonly #receiveBuffer: number;
  readonly #window: number;
  readonly #pollfds: Buffer;
  readonly #timespec = memory(16);
  #endMs = NaN;

  constructor(columns: Columns, plan: SweepPlan, sockets: readonly SweepSocket[], nic: NicStamps = nicStamps()) {
    this.#columns = columns;
    this.#nic = nic;
    this.#sockets = sockets;
    const wall = openWall();
    this.#flight = new Flight(columns, plan);
    this.#receiveBuffer = Math.min(...sockets.map((s) => s.receiveBuffer));
    const room = Math.max(8, Math.floor(this.#receiveBuffer / PACKET_COST / 2));
    this.#window = Math.min(Math.max(room, WINDOW_MIN), this.#flight.mask + 1);
    // On loopback a batch is answered within the call that sends it, so its answers must fit the buffer.
    const slots = Math.min(BATCH, room, this.#flight.total);
    const nicTimes = nic.state === 'on' ? new NicTimes(this.#flight) : null;
    if (nicTimes !== null) for (const { fd } of sockets) askForNicStamps(fd);
    this.#senders = sockets.map((socket) => new Sender(socket, slots, this.#flight, plan, wall, nicTimes));
    this.#receivers = this.#senders.map(
      (sender) => new Receiver(sender, BATCH, this.#flight, this.#clock, wall, nicTimes),
    );
    this.#pollfds = memory(8 * Math.max(1, sockets.length));
    for (const [i, { fd }] of sockets.entries()) this.#pollfds.writeInt32LE(fd, i * 8);
    this.#calibration = calibrate(wall);
  }

  /** Works until all is done or the monotonic clock reaches `untilMs`; returns whether it is done. */
  step(untilMs: number): boolean {
    const flight = this.#flight;
    if (Number.isNaN(flight.startMs)) flight.startMs = this.#clock.monoMs();
    for (;;) {
      const sent = this.#send();
      let received = 0;
      for (const receiver of this.#receivers) received += receiver.receive();
      const nowMs = this.#clock.monoMs();
      flight.expire(nowMs);
      if (this.#columns.control[0] !== 0) flight.interrupt();
      if (this.#columns.control[0] !== 0 || nowMs >= flight.overMs()) {
        this.#endMs = nowMs;
        return true;
      }
      if (nowMs >= untilMs) return false;
      if (sent <= 0 && received === 0) this.#wait(Math.min(untilMs, this.#nextMs()) - nowMs, sent < 0);
    }
  }

  end(): SweepEnd {
    return {
      sockets: [...new Set(this.#sockets.map((s) => s.kind))],
      calibration: this.#calibration,
      nic: this.#nic,
      clockStepMs: this.#clock.largestStepMs,
      receiveBuffer: this.#receiveBuffer,
      durationMs: Math.max(0, this.#endMs - this.#flight.startMs),
    };
  }

  close(): void {
    for (const socket of this.#sockets) {
      libc().close(socket.fd);
      socket.close?.();
    }
  }

  /** One batch of what is due; 0 when nothing is, −1 when the kernel's queue is full. */
  #send(): number {
    const flight = this.#flight;
    flight.skipUnaddressed();
    const nowMs = this.#clock.monoMs();
    const room = this.#window - flight.flying;
    if (room <= 0 || flight.dueMs() > nowMs) return 0;
    const family = this.#columns.family[flight.nextTarget];
    const index = this.#sockets.findIndex((s) => s.family === family);
    const sent = this.#senders[index]!.send(nowMs, room, () => this.#receivers[index]!.readErrors());
    return sent === 0 ? -1 : sent;
  }

  #nextMs(): number {
    const flight = this.#flight;
    const dueMs = flight.flying < this.#window ? flight.dueMs() : Infinity;
    return Math.min(dueMs, flight.expiryMs(), flight.overMs());
  }

  /** Until a packet comes or `ms` are over, whichever is first; errors on the queue always wake. */
  #wait(ms: number, full: boolean): void {
    const waitMs = Math.min(Math.max(0, ms), full ? 1 : WAIT_MAX_MS);
    for (let i = 0; i < this.#sockets.length; i++)
      this.#pollfds.writeInt16LE(full ? POLLIN | POLLOUT : POLLIN, i * 8 + 4);
    this.#timespec.writeUInt32LE(Math.floor(waitMs / 1e3), 0);
    this.#timespec.writeUInt32LE(Math.floor((waitMs % 1e3) * 1e6), 8);
    libc().ppoll(this.#pollfds, this.#sockets.length, this.#timespec, null, 0);
  }
}
