import { parseAddress } from '../../../model/cidr.ts';

/** Where the addresses of a flow stand. */
export interface FlowEnds {
  bytes: Uint8Array;
  clientAt: number;
  serverAt: number;
  version: 0 | 4 | 6;
}

/** The ends of a flow whose addresses are text; null where they are none, or of two families. */
export function endsOf(client: string, server: string): FlowEnds | null {
  const [first, second] = [parseAddress(client), parseAddress(server)];
  if (!first || !second || first.family !== second.family) return null;
  const octets = first.family === 4 ? 4 : 16;
  const hex = (value: bigint) => value.toString(16).padStart(2 * octets, '0');
  const bytes = Buffer.from(hex(first.value) + hex(second.value), 'hex');
  return { bytes, clientAt: 0, serverAt: octets, version: first.family };
}
