import { networkInterfaces } from 'node:os';
import { IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM } from './abi.ts';
import { check, libc, lastErrno, memory, SystemCallError } from './libc.ts';
import { SOL_IP, SOL_IPV6 } from './msghdr.ts';
import { decodeSockaddr, encodeSockaddr, SOCKADDR_IN6_BYTES } from './sockaddr.ts';

/** How packets to an address leave this host, asked of the kernel without sending any. */
export interface Egress {
  localAddress: string;
  /** Null when no interface has the local address, for instance one of another namespace. */
  interfaceName: string | null;
  /** Largest IP packet that the interface takes. */
  mtuBytes: number | null;
  /** Path MTU that the kernel uses for this address now: that of the route, or what an ICMP message of the last minutes said. */
  cachedMtuBytes: number;
}

// linux/in.h, linux/in6.h, linux/sockios.h
const IP_MTU = 14;
const IPV6_MTU = 24;
const SIOCGIFMTU = 0x8921;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

/** @throws SystemCallError, ENETUNREACH where no route leads to the address */
export function egressTo(address: string, family: 4 | 6): Egress {
  const fd = check(libc().socket(family === 4 ? 2 : 10, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP), 'socket');
  try {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    // The port does not matter: connecting a UDP socket only looks up the route.
    const length = encodeSockaddr(sockaddr, address, 9);
    if (libc().connect(fd, sockaddr, length) < 0) throw new SystemCallError('connect', lastErrno(), address);
    const size = memory(4);
    size.writeInt32LE(SOCKADDR_IN6_BYTES);
    check(libc().getsockname(fd, sockaddr, size), 'getsockname');
    const localAddress = decodeSockaddr(sockaddr)?.address.split('%')[0] ?? '';
    const interfaceName = interfaceOf(localAddress, address.split('%')[1]);
    const mtuBytes = interfaceName === null ? null : interfaceMtu(fd, interfaceName);
    return { localAddress, interfaceName, mtuBytes, cachedMtuBytes: pathMtu(fd, family) };
  } finally {
    libc().close(fd);
  }
}

function pathMtu(fd: number, family: 4 | 6): number {
  const [value, size] = [memory(4), memory(4)];
  size.writeInt32LE(4);
  const [level, name] = family === 4 ? [SOL_IP, IP_MTU] : [SOL_IPV6, IPV6_MTU];
  check(libc().getsockopt(fd, level, name, value, size), 'getsockopt MTU');
  return value.readInt32LE(0);
}

function interfaceOf(localAddress: string, zone: string | undefined): string | null {
  const all = Object.entries(networkInterfaces());
  const holders = all.filter(([, entries]) => entries?.some((entry) => entry.address === localAddress));
  const named = holders.find(([name, entries]) => name === zone || entries?.some((e) => String(e.scopeid) === zone));
  return (named ?? holders[0])?.[0] ?? null;
}

/** struct ifreq: the name, then the MTU as an int. */
function interfaceMtu(fd: number, name: string): number | null {
  const request = memory(IFREQ_BYTES);
  request.write(name, 0, IFNAMSIZ - 1, 'latin1');
  return libc().ioctl(fd, SIOCGIFMTU, request) < 0 ? null : request.readInt32LE(IFNAMSIZ);
}
