import * as z from 'zod';

const rate = (description: string) => z.number().nullable().meta({ description });

/**
 * Data moved in one direction, as another tool sums it up (iperf3). Whatever the source does not say is null; what was measured
 * by inferpath itself is told in more detail than this.
 */
export const transferFields = {
  address: z.string(),
  protocol: z.enum(['tcp', 'udp', 'unknown']),
  direction: z.enum(['up', 'down']).meta({ description: 'up: from `from` to `to`.' }),
  streams: z.number().int().nullable(),
  targetMbitPerS: rate('What was asked for, all streams together; null: as fast as it goes, or unsaid.'),
  senderMbitPerS: rate('What the sender wrote, per time.'),
  receiverMbitPerS: rate('What the receiver got, per time: the throughput.'),
  bytes: z.number().int().nullable().meta({ description: 'Octets received; null where only rounded ones are said.' }),
  durationS: z.number().nullable(),
  retransmits: z.number().int().nullable().meta({ description: 'TCP segments sent again, where the sender says.' }),
  congestion: z.string().nullable().meta({ description: 'Congestion control of the sender.' }),
  loadedRtt: z
    .object({ minMs: z.number(), meanMs: z.number(), maxMs: z.number() })
    .nullable()
    .meta({ description: 'Smoothed round trips of the sending connections under their own load, by TCP_INFO.' }),
  udp: z
    .object({ packets: z.number().int(), lost: z.number().int(), jitterMs: z.number().nullable() })
    .nullable()
    .meta({ description: 'Datagrams as the receiver counted them; null for TCP and where it did not say.' }),
  intervals: z
    .array(z.object({ startS: z.number(), endS: z.number(), mbitPerS: z.number(), omitted: z.boolean() }))
    .meta({ description: 'The rate over time on the side that printed it.' }),
};
