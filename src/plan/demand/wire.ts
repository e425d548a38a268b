/** Octets that packets add to what an application sends, from the stream down to the wire. */

/** TLS 1.3 record: header 5, content type 1, tag 16 (RFC 8446 §5.2); at most 16 KiB in a record. */
const TLS_BYTES = 22;
const TLS_RECORD_BYTES = 16_384;
/** A chunk of HTTP/1.1: size in three hex digits and two line ends (RFC 9112 §7.1). */
const CHUNK_BYTES = 7;
/** IPv4 20, TCP 20, its timestamps 12 (RFC 9293, RFC 7323). */
const TCP_IP_BYTES = 52;
/** Preamble and start 8, header 14, checksum 4, gap 12 (IEEE 802.3). */
const ETHERNET_BYTES = 38;
/** An acknowledgement for every second segment (RFC 9293 §3.8.6.3), with no payload. */
export const ACK_BYTES = TCP_IP_BYTES + ETHERNET_BYTES;
const SEGMENTS_PER_ACK = 2;

/** What a transfer or a second of a stream puts on the wire, and what comes back as acknowledgements. */
export interface OnWire {
  bytes: number;
  packets: number;
  acks: number;
}

/** One streamed event in a segment of its own, as servers send it that flush every token. */
export function eventOnWire(payloadBytes: number, mtuBytes = 1500): OnWire {
  return segments(payloadBytes + CHUNK_BYTES + TLS_BYTES, mtuBytes);
}

/** A transfer as large segments. */
export function transferOnWire(payloadBytes: number, mtuBytes: number, encrypted: boolean): OnWire {
  const records = encrypted ? Math.ceil(payloadBytes / TLS_RECORD_BYTES) * TLS_BYTES : 0;
  return segments(payloadBytes + records, mtuBytes);
}

function segments(streamBytes: number, mtuBytes: number): OnWire {
  const packets = Math.max(1, Math.ceil(streamBytes / (mtuBytes - TCP_IP_BYTES)));
  return {
    bytes: streamBytes + packets * (TCP_IP_BYTES + ETHERNET_BYTES),
    packets,
    acks: packets / SEGMENTS_PER_ACK,
  };
}
