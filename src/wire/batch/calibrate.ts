import { IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from '../abi.ts';
import { check, libc, memory } from '../libc.ts';
import {
  IP_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  SCM_TSTAMP,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_IP,
  SOL_SOCKET,
} from '../msghdr.ts';
import { AF_INET, encodeSockaddr, SOCKADDR_IN_BYTES } from '../sockaddr.ts';
import type { Wall } from './clocks.ts';
import { MessageBatch } from './messages.ts';
import { fastControl, readFastControl } from './stamps.ts';

/** What stamping costs and how far it is off on this host right now, in ms; by packets to ourselves over loopback. */
export interface Calibration {
  packets: number;
  /** Median and 95th percentile from the kernel's transmit stamp to its receive stamp of the same packet: a path of practically nothing. */
  stampToStampMs: number;
  stampToStampP95Ms: number;
  /** The same from our own reading of the clock before the call to the transmit stamp: what a tool without those would be off. */
  userToStampMs: number;
  userToStampP95Ms: number;
  /** False when no packet came back with both stamps (no loopback, a kernel without them). */
  stamped: boolean;
}

const PACKETS = 48;
const CONTROL_BYTES = 256;
const TRIES = 400;

/** Sends PACKETS datagrams to a socket of our own, one by one, and compares the stamps. Takes a few ms; at most about 0.4 s. */
export function calibrate(wall: Wall): Calibration {
  const transmitted: number[] = [];
  const stamped: number[] = [];
  let fd = -1;
  try {
    fd = openLoopback();
    const batch = new MessageBatch(1, 64, CONTROL_BYTES);
    for (let i = 0; i < TRIES && stamped.length < PACKETS; i++) {
      const { sentMs, txMs, rxMs } = once(fd, batch, wall);
      if (Number.isNaN(txMs) || Number.isNaN(rxMs)) continue;
      transmitted.push(txMs - sentMs);
      stamped.push(rxMs - txMs);
    }
  } catch {
    // Loopback is down, or no descriptor is left: then the bounds are simply not known.
  } finally {
    if (fd >= 0) libc().close(fd);
  }
  return {
    packets: stamped.length,
    stampToStampMs: at(stamped, 0.5),
    stampToStampP95Ms: at(stamped, 0.95),
    userToStampMs: at(transmitted, 0.5),
    userToStampP95Ms: at(transmitted, 0.95),
    stamped: stamped.length > 0,
  };
}

function openLoopback(): number {
  const c = libc();
  const fd = check(c.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP), 'socket', 'loopback');
  const value = memory(4);
  const set = (level: number, name: number, number: number) => {
    value.writeInt32LE(number, 0);
    check(c.setsockopt(fd, level, name, value, 4), 'setsockopt', 'loopback');
  };
  const { RX_SOFTWARE, TX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY } = SOF_TIMESTAMPING;
  set(SOL_SOCKET, SO_TIMESTAMPING, RX_SOFTWARE | TX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY);
  set(SOL_IP, IP_RECVERR, 1);
  const address = memory(SOCKADDR_IN_BYTES);
  encodeSockaddr(address, '127.0.0.1', 0);
  check(c.bind(fd, address, SOCKADDR_IN_BYTES), 'bind', '127.0.0.1');
  value.writeUInt32LE(4 * 4, 0);
  check(c.getsockname(fd, address, value), 'getsockname');
  check(c.connect(fd, address, SOCKADDR_IN_BYTES), 'connect', '127.0.0.1');
  return fd;
}

/** One datagram out and in again; NaN for a stamp that did not come within a ms. */
function once(fd: number, batch: MessageBatch, wall: Wall): { sentMs: number; txMs: number; rxMs: number } {
  const sentMs = wall.nowMs();
  batch.setLengths(0, 32, 0, 0);
  libc().sendmmsg(fd, batch.headers, 1, MSG_DONTWAIT);
  let txMs = NaN;
  let rxMs = NaN;
  const control = fastControl();
  const take = (flags: number) => {
    batch.received(1);
    batch.rearm();
    if (libc().recvmmsg(fd, batch.headers, 1, flags | MSG_DONTWAIT, null) !== 1) return false;
    readFastControl(batch.control32, 0, batch.controlLength(0), control);
    return true;
  };
  // A packet to ourselves has arrived when the call that sends it returns; only another CPU's softirq can make it later.
  for (let i = 0; i < 50 && (Number.isNaN(txMs) || Number.isNaN(rxMs)); i++) {
    if (take(MSG_ERRQUEUE) && control.errorWord >= 0 && batch.control32[control.errorWord + 2] === SCM_TSTAMP.SND)
      txMs = control.hasStamp ? wall.toMs(control.sec, control.nsec) : NaN;
    if (take(0)) {
      // Stamping of received packets begins some time after it was asked for.
      if (!control.hasStamp) return { sentMs, txMs: NaN, rxMs: NaN };
      rxMs = wall.toMs(control.sec, control.nsec);
    }
  }
  return { sentMs, txMs, rxMs };
}

/** The p-quantile by nearest rank; NaN of none. */
function at(values: readonly number[], p: number): number {
  const rising = [...values].sort((a, b) => a - b);
  return rising[Math.min(rising.length - 1, Math.floor(p * rising.length))] ?? NaN;
}
