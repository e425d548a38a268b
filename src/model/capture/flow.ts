import * as z from 'zod';
import { quicFlow } from './quic.ts';

const count = z.number().int().nonnegative();

const roundTrip = z
  .object({
    lowestMs: z.number(),
    meanMs: z.number(),
    highestMs: z.number(),
    samples: count,
  })
  .nullable()
  .meta({ description: 'Round trips from the tap to that end and back; null: nothing could be timed.' });

export const limit = z.enum(['sender', 'receiver', 'network', 'recovery']).meta({
  description:
    'What data waited for: the sending application, the receive window, acknowledgements (the congestion window or the path), or the repair of a loss.',
});
export type Limit = z.infer<typeof limit>;

const tcpSide = z
  .object({
    packets: count,
    dataPackets: count,
    payloadOctets: count.meta({ description: 'By the lengths of IP, with what was sent again.' }),
    retransmissions: count,
    retransmittedSegments: count.meta({
      description: 'Packets on the wire: one that the card cuts up counts as many.',
    }),
    retransmittedOctets: count,
    originalsUnseen: count.meta({
      description: 'Of the retransmissions: the first copy did not reach the tap, so it was lost before it.',
    }),
    spuriousSegments: count.meta({ description: 'Sent again although the receiver had them (DSACK, RFC 3708).' }),
    triggers: z
      .object({ fast: count, rto: count, tlp: count, handshake: count, unknown: count })
      .meta({ description: 'What made the sender send again: acknowledgements, a timeout, a probe (RFC 8985), SYN.' }),
    reordered: count,
    missingBeforeTap: count.nullable().meta({
      description: 'Packets that the sender’s IPv4 counter misses; null: it does not count by connection.',
    }),
    captureLossOctets: count.meta({ description: 'Acknowledged by the receiver, never seen by the tap.' }),
    captureLosses: count,
    zeroWindows: count.meta({ description: 'Times that this end closed its receive window.' }),
    zeroWindowMs: z.number(),
    windowFull: count.meta({ description: 'Times that this end filled the other’s window to the last octet.' }),
    keepAlives: count,
    windowProbes: count,
    congestionMarks: count.meta({ description: 'Packets that the network marked (ECN CE).' }),
    congestionEchoes: count,
    limitedBy: limit.nullable(),
    waitedMs: z.object({ sender: z.number(), receiver: z.number(), network: z.number(), recovery: z.number() }),
    offload: z.boolean().meta({ description: 'Packets larger than a segment: captured before the card cut them up.' }),
  })
  .meta({ description: 'What one end of a TCP connection sent.' });
export type TcpSide = z.infer<typeof tcpSide>;

export const captureFlow = z
  .object({
    number: count.meta({ description: 'That of its first packet in the capture, from 1 on.' }),
    protocol: z.string().meta({ description: 'tcp, udp, or the number of the IP protocol.' }),
    client: z.string().meta({ description: 'Address and port of who began, or seems to have.' }),
    server: z.string(),
    tunnel: z
      .string()
      .nullable()
      .meta({ description: 'Tells networks apart that use the same addresses; null: none.' }),
    startMs: z.number().meta({ description: 'Of its first packet, since the first of the capture.' }),
    durationMs: z.number(),
    packets: z.object({ client: count, server: count }),
    octets: z.object({ client: count, server: count }).meta({ description: 'On the wire, headers included.' }),
    tcp: z
      .object({
        fromStart: z.boolean().meta({ description: 'The handshake was seen.' }),
        end: z.enum(['closed', 'reset', 'open']),
        handshakeMs: z.number().nullable(),
        toClient: roundTrip,
        toServer: roundTrip,
        client: tcpSide,
        server: tcpSide,
      })
      .nullable(),
    quic: quicFlow.nullable().meta({ description: 'What can be seen of a QUIC connection; null: it is none.' }),
  })
  .meta({
    id: 'captureFlow',
    title: 'One conversation of a capture',
    description: 'Both directions between two addresses and ports, as the tap saw them.',
  });
export type CaptureFlow = z.infer<typeof captureFlow>;
