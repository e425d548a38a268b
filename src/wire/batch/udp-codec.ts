import { type Codec, PAYLOAD_BYTES, readPayload, type Token, writeToken } from './codec.ts';

export interface UdpCodecOptions {
  token: Token;
  payloadBytes: number;
}

/**
 * Datagrams to a port. What answers is an ICMP port unreachable (a quote of ours on the error queue), or a datagram that
 * brings our payload back. Routers that quote no more than RFC 792 asks for, the UDP header, leave nothing to tell the
 * probe by: such an error is counted as foreign.
 */
export function udpCodec({ token, payloadBytes }: UdpCodecOptions): Codec {
  const packetBytes = Math.max(PAYLOAD_BYTES, payloadBytes);
  return {
    packetBytes,
    usesPort: true,
    refused: false,
    prepare(out) {
      for (let slot = 0; slot < out.slots; slot++) {
        const at = slot * out.dataBytes;
        for (let i = 0; i < packetBytes; i++) out.data[at + i] = i & 0xff;
        writeToken(out.data32, at, token);
      }
    },
    write(out, slot, probe) {
      out.data32[((slot * out.dataBytes) >>> 2) + 2] = probe;
    },
    read: (into, slot, bytes) => readPayload(into.data32, slot * into.dataBytes, bytes, token),
    // The error queue of a UDP socket holds the quote from behind the UDP header.
    readQuote: (into, slot, bytes) => readPayload(into.data32, slot * into.dataBytes, bytes, token),
  };
}
