import { constants, networkInterfaces } from 'node:os';
import { IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM } from './abi.ts';
import { addressOf, lastErrno, libc, memory } from './libc.ts';
import { SOF_TIMESTAMPING } from './msghdr.ts';
import { AF_INET } from './sockaddr.ts';

/**
 * Whether a network card stamps every packet that leaves and comes in. `off`: it could, but nobody has switched it on, which is not
 * for us to do (SIOCSHWTSTAMP changes the machine for everybody). `unknown`: it was not told.
 */
export type NicStamping = 'on' | 'off' | 'notOffered' | 'unknown';

/** What the network cards of this host offer. */
export interface NicStamps {
  state: NicStamping;
  /** The interfaces of which that is said; none where nothing is offered. */
  interfaces: string[];
}

// linux/sockios.h, linux/ethtool.h, linux/net_tstamp.h
const SIOCETHTOOL = 0x8946;
const SIOCGHWTSTAMP = 0x89b1;
const ETHTOOL_GET_TS_INFO = 0x41;
const TS_INFO_BYTES = 44;
const HWTSTAMP_CONFIG_BYTES = 12;
const HWTSTAMP_TX_OFF = 0;
const HWTSTAMP_FILTER_ALL = 1;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const INTERFACES_MAX = 64;
const { TX_HARDWARE, RX_HARDWARE, RAW_HARDWARE } = SOF_TIMESTAMPING;
const HARDWARE = TX_HARDWARE | RX_HARDWARE | RAW_HARDWARE;

/** struct ethtool_ts_info: whether the card can stamp both ways, and the index of its clock (PHC). */
export function readTsInfo(info: Buffer): { offered: boolean; clock: number } {
  const flags = info.readUInt32LE(4);
  const clock = info.readInt32LE(8);
  const [sends, receives] = [info.readUInt32LE(12), info.readUInt32LE(28)];
  const canSend = sends >>> (HWTSTAMP_TX_OFF + 1) !== 0;
  const canReceive = (receives & (1 << HWTSTAMP_FILTER_ALL)) !== 0;
  return { offered: (flags & HARDWARE) === HARDWARE && clock >= 0 && canSend && canReceive, clock };
}

/** struct hwtstamp_config: a filter that takes PTP only stamps no packet of ours. */
export function stampsEveryPacket(config: Buffer): boolean {
  return config.readInt32LE(4) !== HWTSTAMP_TX_OFF && config.readInt32LE(8) === HWTSTAMP_FILTER_ALL;
}

/** Asks one interface; changes nothing and needs no privilege. */
function askInterface(fd: number, name: string): { state: NicStamping; clock: number } {
  const info = memory(TS_INFO_BYTES);
  info.writeUInt32LE(ETHTOOL_GET_TS_INFO, 0);
  const { errno } = constants;
  const failed = ask(fd, SIOCETHTOOL, name, info);
  if (failed !== 0) return { state: failed === errno.EOPNOTSUPP ? 'notOffered' : 'unknown', clock: -1 };
  const { offered, clock } = readTsInfo(info);
  if (!offered) return { state: 'notOffered', clock };
  const config = memory(HWTSTAMP_CONFIG_BYTES);
  if (ask(fd, SIOCGHWTSTAMP, name, config) !== 0) return { state: 'unknown', clock };
  return { state: stampsEveryPacket(config) ? 'on' : 'off', clock };
}

/** An ioctl on struct ifreq with a pointer in it; 0 or the errno. */
function ask(fd: number, request: number, name: string, answer: Buffer): number {
  const ifreq = memory(IFREQ_BYTES);
  ifreq.write(name, 0, IFNAMSIZ - 1, 'latin1');
  ifreq.writeBigUInt64LE(addressOf(answer), IFNAMSIZ);
  return libc().ioctl(fd, request, ifreq) < 0 ? lastErrno() : 0;
}

/**
 * What the cards of this host offer. `on` only where all that stamp do so by the same clock: of a packet that leaves by one card and
 * whose answer comes in by another, the stamps would otherwise be of two clocks.
 */
export function nicStamps(names = Object.keys(networkInterfaces())): NicStamps {
  const fd = libc().socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return { state: 'unknown', interfaces: [] };
  try {
    return summary(names.slice(0, INTERFACES_MAX).map((name) => ({ name, ...askInterface(fd, name) })));
  } finally {
    libc().close(fd);
  }
}

export function summary(all: readonly { name: string; state: NicStamping; clock: number }[]): NicStamps {
  const of = (state: NicStamping) => all.filter((one) => one.state === state);
  const on = of('on');
  if (on.length > 0) {
    const oneClock = on.every(({ clock }) => clock === on[0]!.clock);
    return { state: oneClock ? 'on' : 'unknown', interfaces: on.map(({ name }) => name) };
  }
  for (const state of ['off', 'unknown'] as const)
    if (of(state).length > 0) return { state, interfaces: of(state).map(({ name }) => name) };
  return { state: 'notOffered', interfaces: [] };
}
