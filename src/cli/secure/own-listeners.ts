import { startReading } from '../../gather/connections/read.ts';
import { usualAt } from '../../measure/exposure/engines.ts';
import { parseAddress } from '../../model/cidr.ts';
import type { OwnListener } from '../../model/secure/exposure.ts';
import { isLoopback } from '../../stats/address.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import type { Targets } from './exposure-targets.ts';

const lists = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** TCP sockets of this machine that wait for connections, read from the kernel: nothing is sent. @throws UsageError where there is no /proc */
export async function ownListeners(io: Io): Promise<OwnListener[]> {
  const texts = await Promise.all(lists.map((path) => io.fs.readText(path).catch(() => '')));
  if (texts.every((text) => text === ''))
    throw new UsageError(`--local: cannot read ${lists.join(' or ')}; allowed: on Linux, where they are`);
  const found = new Map<string, OwnListener>();
  const reading = startReading(
    { source: '/proc/net', atMs: io.clock.wallMs(), zoneMinutes: 0, format: 'proc-net' },
    {
      connection: ({ direction, local: { address, port }, protocol }) => {
        if (direction !== 'listen') return;
        found.set(`${address} ${port}`, { address, port, protocol, reach: reachOf(address), usedBy: usualAt(port) });
      },
    },
  );
  for (const text of texts) reading.push(new TextEncoder().encode(text));
  reading.end();
  return [...found.values()].toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
}

function reachOf(address: string): OwnListener['reach'] {
  if (address === '0.0.0.0' || address === '::') return 'everywhere';
  return isLoopback(address) ? 'loopback' : 'address';
}

/** The same targets, and beside them every own listener, asked where it listens: at loopback where that is everywhere. */
export function withListeners(targets: Targets, listeners: readonly OwnListener[]): Targets {
  const all = {
    hosts: [...targets.hosts],
    permitted: [...targets.permitted],
    asked: [...targets.asked],
    notAsked: targets.notAsked,
  };
  const asked = new Set(all.hosts.flatMap(({ address, ports = [] }) => ports.map((port) => `${address} ${port}`)));
  const byAddress = new Map<string, number[]>();
  for (const { address, port } of listeners) {
    const at = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
    if (parseAddress(at) === null || asked.has(`${at} ${port}`)) continue;
    asked.add(`${at} ${port}`);
    byAddress.set(at, [...(byAddress.get(at) ?? []), port]);
  }
  for (const [address, ports] of byAddress) {
    all.hosts.push({ address, host: address, ports });
    all.permitted.push(address);
    all.asked.push({
      range: address,
      addresses: 1,
      permittedBy: `${ports.length === 1 ? 'a socket' : `${ports.length} sockets`} of this machine`,
    });
  }
  return all;
}
