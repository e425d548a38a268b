import { SOCK_DGRAM, SOCK_RAW, SOCK_CLOEXEC, O_CLOEXEC } from './abi.ts';
import { constants } from 'node:os';
import { addressBytes } from './ip.ts';
import { addressOf as pointerTo, check, libc, memory, SystemCallError } from './libc.ts';

/**
 * TUN devices and interface set-up through the classic ioctls (linux/if_tun.h, linux/sockios.h, netdevice(7)) and one netlink message, so that no
 * iproute2 is needed. Everything acts on the network namespace of the calling thread.
 */
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
/** Without it every packet starts with four bytes of flags and protocol. */
const IFF_NO_PI = 0x1000;

const SIOCADDRT = 0x890b;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCSIFMTU = 0x8922;
const SIOCGIFINDEX = 0x8933;
/** linux/rtnetlink.h, linux/netlink.h, linux/if_link.h. */
const RTM_NEWLINK = 16;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const IFLA_TXQLEN = 13;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const RTF_UP = 0x0001;

const IFREQ_BYTES = 40;
const IFREQ_VALUE = 16;

export interface InterfaceSettings {
  mtu: number;
  /** Packets the kernel holds while nobody reads the device; beyond them it drops and counts. */
  txQueuePackets: number;
  /** One /32 and, where the kernel has IPv6, one /128; the default route of each family leaves through the device. */
  v4: string;
  v6?: string;
}

/** A non-blocking TUN device named `name`: one read or write is one IP packet. @throws SystemCallError */
export function openTun(name: string): number {
  const path = '/dev/net/tun';
  const fd = check(libc().open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0), 'open', path);
  const request = interfaceRequest(name);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFREQ_VALUE);
  if (libc().ioctl(fd, TUNSETIFF, request) < 0) {
    try {
      check(-1, 'TUNSETIFF', name);
    } finally {
      libc().close(fd);
    }
  }
  return fd;
}

/** Brings `lo` up. @throws SystemCallError */
export function raiseLoopback(): void {
  withSocket(AF_INET, (fd) => raise(fd, 'lo'));
}

/** Addresses, MTU, queue length and default routes of one device, then up. @throws SystemCallError */
export function configureInterface(name: string, settings: InterfaceSettings): void {
  withSocket(AF_INET, (fd) => {
    setInteger(fd, name, SIOCSIFMTU, 'SIOCSIFMTU', settings.mtu);
    setQueueLength(interfaceIndex(fd, name), settings.txQueuePackets);
    setAddress4(fd, name, SIOCSIFADDR, 'SIOCSIFADDR', settings.v4);
    setAddress4(fd, name, SIOCSIFNETMASK, 'SIOCSIFNETMASK', '255.255.255.255');
    raise(fd, name);
    addDefaultRoute4(fd, name);
  });
  const { v6 } = settings;
  if (v6 === undefined) return;
  withSocket(AF_INET6, (fd) => {
    const index = interfaceIndex(fd, name);
    addAddress6(fd, index, v6);
    addDefaultRoute6(fd, index);
  });
}

function withSocket(family: number, use: (fd: number) => void): void {
  const fd = check(libc().socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', family === AF_INET ? 'IPv4' : 'IPv6');
  try {
    use(fd);
  } finally {
    libc().close(fd);
  }
}

/** struct ifreq: 16 bytes of name, then a union. */
function interfaceRequest(name: string): Buffer {
  if (!/^[a-z0-9]{1,15}$/.test(name)) throw new RangeError(`Cannot use "${name}" as an interface name`);
  const request = memory(IFREQ_BYTES);
  request.write(name, 0, 'latin1');
  return request;
}

function setInteger(fd: number, name: string, code: number, operation: string, value: number): void {
  const request = interfaceRequest(name);
  request.writeInt32LE(value, IFREQ_VALUE);
  check(libc().ioctl(fd, code, request), operation, `${name} ${value}`);
}

/**
 * Through rtnetlink, because the ioctl for it wants the machine's own root and would fail inside a user namespace. One message:
 * struct nlmsghdr, struct ifinfomsg, one attribute; the answer is struct nlmsgerr with 0 or a negative errno.
 */
function setQueueLength(index: number, packets: number): void {
  const fd = check(libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket', 'netlink');
  try {
    const message = memory(40);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(RTM_NEWLINK, 4);
    message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
    message.writeInt32LE(index, 20);
    message.writeUInt16LE(8, 32);
    message.writeUInt16LE(IFLA_TXQLEN, 34);
    message.writeUInt32LE(packets, 36);
    check(libc().send(fd, message, message.length, 0), 'RTM_NEWLINK', `txqueuelen ${packets}`);
    const answer = memory(128);
    const length = check(libc().recv(fd, answer, answer.length, 0), 'recv', 'netlink');
    const errno = length < 20 ? constants.errno.EPROTO : -answer.readInt32LE(16);
    if (errno !== 0) throw new SystemCallError('RTM_NEWLINK', errno, `txqueuelen ${packets}`);
  } finally {
    libc().close(fd);
  }
}

function raise(fd: number, name: string): void {
  const request = interfaceRequest(name);
  request.writeUInt16LE(IFF_UP | IFF_RUNNING, IFREQ_VALUE);
  check(libc().ioctl(fd, SIOCSIFFLAGS, request), 'SIOCSIFFLAGS', name);
}

function setAddress4(fd: number, name: string, code: number, operation: string, address: string): void {
  const request = interfaceRequest(name);
  request.writeUInt16LE(AF_INET, IFREQ_VALUE);
  request.set(addressBytes(address), IFREQ_VALUE + 4);
  check(libc().ioctl(fd, code, request), operation, `${name} ${address}`);
}

function interfaceIndex(fd: number, name: string): number {
  const request = interfaceRequest(name);
  check(libc().ioctl(fd, SIOCGIFINDEX, request), 'SIOCGIFINDEX', name);
  return request.readInt32LE(IFREQ_VALUE);
}

/** struct rtentry of a 64-bit kernel: destination, gateway and mask are sockaddrs at 8, 24, 40; the device name is a pointer. */
function addDefaultRoute4(fd: number, name: string): void {
  const device = memory(16);
  device.write(name, 0, 'latin1');
  const route = memory(120);
  for (const at of [8, 24, 40]) route.writeUInt16LE(AF_INET, at);
  route.writeUInt16LE(RTF_UP, 56);
  route.writeBigUInt64LE(pointerTo(device), 88);
  check(libc().ioctl(fd, SIOCADDRT, route), 'SIOCADDRT', `default via ${name}`);
}

/** struct in6_ifreq: address, prefix length, interface index. */
function addAddress6(fd: number, index: number, address: string): void {
  const request = memory(24);
  request.set(addressBytes(address), 0);
  request.writeUInt32LE(128, 16);
  request.writeInt32LE(index, 20);
  check(libc().ioctl(fd, SIOCSIFADDR, request), 'SIOCSIFADDR', address);
}

/** struct in6_rtmsg with everything zero is the default route; metric 1024 as iproute2 sets. */
function addDefaultRoute6(fd: number, index: number): void {
  const route = memory(80);
  route.writeUInt32LE(1024, 56);
  route.writeUInt32LE(RTF_UP, 72);
  route.writeInt32LE(index, 76);
  check(libc().ioctl(fd, SIOCADDRT, route), 'SIOCADDRT', `IPv6 default via interface ${index}`);
}
