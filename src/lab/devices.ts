import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { libc } from '../wire/libc.ts';
import { enterNamespace, enterNewNamespace, openOwnNamespace } from '../wire/netns.ts';
import { configureInterface, openTun, raiseLoopback } from '../wire/tun.ts';
import type { PlanNode } from './plan.ts';

/** One host's end: its namespace and the TUN device that carries all it sends. Both are descriptors of this process. */
export interface HostDevice {
  namespace: number;
  tun: number;
}

const DEVICE = 'lab0';
/** 4096 full packets are 130 ms of 380 Mbit/s: more than the forwarder is ever away, short of losing the processor. */
const TX_QUEUE_PACKETS = 4096;

/**
 * A new namespace with a configured device for every host. Moves the calling thread from namespace to namespace, and back at
 * the end; must run on a thread of its own. @throws SystemCallError with nothing left open
 */
export function openDevices(hosts: readonly PlanNode[]): HostDevice[] {
  const home = openOwnNamespace();
  const devices: HostDevice[] = [];
  try {
    for (const host of hosts) {
      const device = { namespace: enterNewNamespace(), tun: -1 };
      devices.push(device);
      device.tun = openDevice(host);
    }
    return devices;
  } catch (error) {
    closeDevices(devices);
    throw error;
  } finally {
    leaveTo(home);
  }
}

export function closeDevices(devices: readonly HostDevice[]): void {
  for (const { namespace, tun } of devices) {
    if (tun >= 0) libc().close(tun);
    libc().close(namespace);
  }
}

/** Going back fails in a user namespace that does not own its network namespace; the thread ends soon, so it does not matter. */
function leaveTo(home: number): void {
  try {
    enterNamespace(home);
  } catch {
    // Stays where it is.
  }
  libc().close(home);
}

function openDevice(host: PlanNode): number {
  raiseLoopback();
  // Unprivileged echo sockets for every group; inside a user namespace only mapped groups can be named.
  if (!setKernel('ipv4/ping_group_range', '0 2147483647')) setKernel('ipv4/ping_group_range', '0 0');
  const ipv6 = existsSync('/proc/sys/net/ipv6');
  if (ipv6) {
    setKernel('ipv6/conf/all/disable_ipv6', '0');
    setKernel('ipv6/conf/default/disable_ipv6', '0');
    setKernel('ipv6/conf/default/accept_ra', '0');
    setKernel('ipv6/conf/default/accept_dad', '0');
    setKernel('ipv6/conf/default/addr_gen_mode', '1');
  }
  const tun = openTun(DEVICE);
  configureInterface(DEVICE, {
    mtu: host.mtu,
    txQueuePackets: TX_QUEUE_PACKETS,
    v4: host.v4,
    ...(ipv6 ? { v6: host.v6 } : {}),
  });
  return tun;
}

/** /proc/sys/net shows the namespace of the thread that opens the file. */
function setKernel(key: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/net/${key}`, value);
    return true;
  } catch {
    return false;
  }
}

/** Packets that the kernel dropped because nobody read the device in time, per host; -1 where it cannot be read. */
export function kernelDrops(devices: readonly HostDevice[]): number[] {
  return devices.map(({ namespace }) => {
    try {
      enterNamespace(namespace);
      return transmitDrops(readFileSync('/proc/thread-self/net/dev', 'latin1'));
    } catch {
      return -1;
    }
  });
}

/** /proc/net/dev: eight receive columns, then transmit bytes, packets, errors, drops. */
function transmitDrops(table: string): number {
  const line = table.split('\n').find((text) => text.trimStart().startsWith(`${DEVICE}:`));
  return Number(line?.split(':')[1]?.trim().split(/\s+/)[11] ?? -1);
}
