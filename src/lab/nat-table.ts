import { addressBytes } from '../wire/ip.ts';
import type { Plan } from './plan.ts';
import type { Router } from './topology.ts';

/** A flow's two faces: one external port (or echo identifier) stands for one inside address and port. */
export interface Mapping {
  address: Uint8Array;
  insidePort: number;
  outsidePort: number;
}

/** What one translating router knows: endpoint-independent mappings (RFC 4787 REQ-1), kept as long as the lab runs. */
export interface Nat {
  settings: NonNullable<Router['nat']>;
  /** By direction: whether it leads to, or comes from, the outside. */
  leavesOutside: Uint8Array;
  comesFromOutside: Uint8Array;
  address4: Uint8Array;
  address6: Uint8Array;
  inside: Map<string, Mapping>;
  outside: Map<number, Mapping>;
  nextPort: number;
}

const FIRST_PORT = 20_000;
const LAST_PORT = 65_535;

/** The outside address is the router's on the link to its outside neighbour. */
export function makeNat({ nodes, directions }: Plan, router: number, settings: NonNullable<Router['nat']>): Nat {
  const outside = nodes.findIndex((node) => node.name === settings.outside);
  const { entry } = directions.find((one) => one.from === outside && one.to === router)!;
  return {
    settings,
    leavesOutside: Uint8Array.from(directions, (one) => (one.from === router && one.to === outside ? 1 : 0)),
    comesFromOutside: Uint8Array.from(directions, (one) => (one.from === outside && one.to === router ? 1 : 0)),
    address4: addressBytes(entry.v4),
    address6: addressBytes(entry.v6),
    inside: new Map(),
    outside: new Map(),
    nextPort: FIRST_PORT,
  };
}

/** IPv4 and IPv6 have ports of their own, and so has each protocol. */
function outsideKey(family: 4 | 6, protocolNumber: number, port: number): number {
  return ((family === 4 ? 0 : 256) + protocolNumber) * 65_536 + port;
}

function insideKey(family: 4 | 6, protocolNumber: number, address: Uint8Array, port: number): string {
  return `${family} ${protocolNumber} ${port} ${address.join()}`;
}

/** The mapping of an outside port, if there is one. */
export function byOutside(nat: Nat, family: 4 | 6, protocolNumber: number, port: number): Mapping | undefined {
  return nat.outside.get(outsideKey(family, protocolNumber, port));
}

/** The mapping of an inside address and port, if there is one. */
export function byInside(
  nat: Nat,
  family: 4 | 6,
  protocolNumber: number,
  address: Uint8Array,
  port: number,
): Mapping | undefined {
  return nat.inside.get(insideKey(family, protocolNumber, address, port));
}

/** The same, made when there is none yet; undefined when no port is left. */
export function mappingFor(
  nat: Nat,
  family: 4 | 6,
  protocolNumber: number,
  address: Uint8Array,
  port: number,
): Mapping | undefined {
  const known = byInside(nat, family, protocolNumber, address, port);
  if (known) return known;
  const outsidePort = freePort(nat, family, protocolNumber, port);
  if (outsidePort === undefined) return undefined;
  const mapping = { address: Uint8Array.from(address), insidePort: port, outsidePort };
  nat.inside.set(insideKey(family, protocolNumber, address, port), mapping);
  nat.outside.set(outsideKey(family, protocolNumber, outsidePort), mapping);
  return mapping;
}

function freePort(nat: Nat, family: 4 | 6, protocolNumber: number, wanted: number): number | undefined {
  const isFree = (port: number) => !nat.outside.has(outsideKey(family, protocolNumber, port));
  if (nat.settings.preservePorts && isFree(wanted)) return wanted;
  for (let tried = FIRST_PORT; tried <= LAST_PORT; tried += 1) {
    const port = nat.nextPort;
    nat.nextPort = port === LAST_PORT ? FIRST_PORT : port + 1;
    if (isFree(port)) return port;
  }
  return undefined;
}
