import * as z from 'zod';

const count = z.number().int().min(0);

const nakKind = z.enum([
  'psn-sequence-error',
  'receiver-not-ready',
  'invalid-request',
  'remote-access-error',
  'remote-operational-error',
  'invalid-rd-request',
  'reserved',
]);

const qp = z
  .object({
    from: z.string().meta({ description: 'Address that sends.' }),
    to: z.string(),
    toQp: count.meta({ description: 'Queue pair at the receiver.' }),
    fromQp: count.nullable().meta({
      description: 'Queue pair of the sender, from acknowledgements whose numbers fit; null: none was seen.',
    }),
    service: z.enum(['rc', 'uc', 'rd', 'ud', 'xrc']),
    firstMs: z.number().meta({ description: 'Since the first packet of the capture.' }),
    lastMs: z.number(),
    packets: count.meta({ description: 'Requests, responses and acknowledgements towards this queue pair.' }),
    payloadBytes: z.number().min(0),
    messages: z
      .object({ send: count, write: count, read: count, atomic: count, perSecond: z.number().nullable() })
      .meta({ description: 'Messages that ended; read: requests for it.' }),
    messageP50Bytes: z.number().nullable().meta({ description: 'Of WRITE and READ, whose headers say it.' }),
    sequence: z
      .object({
        gaps: count.meta({ description: 'Times at which numbers were missing.' }),
        missing: count.meta({ description: 'Packets whose numbers were skipped.' }),
        sentAgain: count.meta({ description: 'Of these, came after a NAK or late: sent again, lost before here.' }),
        reordered: count.meta({ description: 'Of these, came by themselves and soon.' }),
        neverSeen: count.meta({
          description: 'Of these, never came: lost by the capture, or they took another path. Of UC also: lost.',
        }),
        repeats: count.meta({
          description: 'Packets that had been seen: sent again, lost behind here or for nothing.',
        }),
        stepsBack: count.meta({ description: 'Times at which the sender went back (go-back-N, or single packets).' }),
      })
      .nullable()
      .meta({
        description:
          'Packet sequence numbers of requests; null: it sent none, or datagrams, whose numbers promise nothing.',
      }),
    readResponses: z
      .object({ packets: count, gaps: count, missing: count })
      .meta({ description: 'Responses to READ towards this queue pair; gaps inside of one response.' }),
    acks: count.meta({ description: 'Acknowledgements that came back for it.' }),
    naks: z.partialRecord(nakKind, count).meta({ description: 'What the receiver refused, by syndrome.' }),
    cnps: count.meta({ description: 'Congestion notifications that tell this sender to slow down.' }),
    ecnCe: count.meta({ description: 'Packets that a switch had marked (RFC 3168) when they passed here.' }),
    ecnCapable: count,
    ackMinMs: z.number().nullable().meta({
      description:
        'Shortest time from a packet that asks for one to its acknowledgement: from here to the receiver and back.',
    }),
  })
  .meta({ description: 'One queue pair in one direction.' });
export type RoceQp = z.infer<typeof qp>;

/** RoCEv2 of a whole capture. */
export const roceReport = z
  .object({
    packets: count,
    notRead: count.meta({ description: 'Datagrams to port 4791 that are cut or no RoCEv2.' }),
    cnps: count,
    cnpsUnmatched: count.meta({ description: 'Of these, for a queue pair whose packets were not seen.' }),
    qps: z.array(qp).meta({ description: 'Those with signs of loss or congestion first, then by octets.' }),
    qpsNotListed: count,
    packetsOfFurtherQps: count.meta({ description: 'Packets of queue pairs for which there was no more room.' }),
    how: z.array(z.string()),
  })
  .meta({ description: 'RDMA over Ethernet: loss, refusals and congestion per queue pair.' });
export type RoceReport = z.infer<typeof roceReport>;
