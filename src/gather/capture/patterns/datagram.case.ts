import { newPacket, type Packet } from '../../../wire/packet/packet.ts';

/** A UDP packet as the decoder leaves it. */
export function datagram({
  from = '10.0.0.1',
  to = '10.0.0.2',
  sourcePort = 50_000,
  destinationPort = 4791,
  payload,
  ecn = 0,
}: {
  from?: string;
  to?: string;
  sourcePort?: number;
  destinationPort?: number;
  payload: Buffer;
  ecn?: number;
}): Packet {
  const packet = newPacket();
  const addresses = Buffer.from([from, to].flatMap((text) => text.split('.').map(Number)));
  packet.bytes = Buffer.concat([addresses, payload]);
  packet.version = 4;
  packet.sourceAt = 0;
  packet.destinationAt = 4;
  packet.protocol = 17;
  packet.sourcePort = sourcePort;
  packet.destinationPort = destinationPort;
  packet.payloadAt = 8;
  packet.payloadBytes = payload.length;
  packet.capturedBytes = payload.length;
  packet.ecn = ecn;
  return packet;
}

/** A packet of RoCEv2; RETH, AETH and the rest as the opcode wants them. */
export function roce(
  opcode: number,
  qp: number,
  psn: number,
  {
    reth = -1,
    syndrome = -1,
    carried = 0,
    ack = false,
  }: { reth?: number; syndrome?: number; carried?: number; ack?: boolean } = {},
): Buffer {
  const bth = Buffer.alloc(12);
  bth[0] = opcode;
  bth.writeUInt16BE(0xffff, 2);
  bth.writeUIntBE(qp, 5, 3);
  bth[8] = ack ? 0x80 : 0;
  bth.writeUIntBE(psn & 0xff_ffff, 9, 3);
  const more = reth >= 0 ? Buffer.alloc(16) : syndrome >= 0 ? Buffer.from([syndrome, 0, 0, 1]) : Buffer.alloc(0);
  if (reth >= 0) more.writeUInt32BE(reth, 12);
  return Buffer.concat([bth, more, Buffer.alloc(carried + 4)]);
}
