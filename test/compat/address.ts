import { SocketAddress } from 'node:net';
import type { Packet } from '../../src/wire/packet/packet.ts';

/** Both addresses as tshark prints them. */
export function addressText({ bytes, version, sourceAt, destinationAt }: Packet): string {
  return `${text(bytes, version, sourceAt)} ${text(bytes, version, destinationAt)}`;
}

function text(bytes: Buffer, version: number, at: number): string {
  if (version === 4) return bytes.subarray(at, at + 4).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16)).join(':');
  return new SocketAddress({ address: groups, family: 'ipv6' }).address;
}
