import * as z from 'zod';
import { captureFlow } from './flow.ts';
import { classification, flowDirection, patternReport } from './pattern.ts';
import { roceReport } from './roce.ts';
import { judgedExchange, stallCause } from './judged.ts';

const count = z.number().int().nonnegative();
const ms = z.number();

const source = z.object({
  name: z.string(),
  format: z.enum(['pcap', 'pcapng']).nullable(),
  packets: count,
  octets: count.meta({ description: 'Of the capture itself, after decompression.' }),
  problem: z.string().nullable().meta({ description: 'Why it was not read to its end; null: it was.' }),
});

const quality = z
  .object({
    recordedDrops: count.meta({ description: 'Packets that the capture itself says it lost.' }),
    duplicates: count.meta({ description: 'Packets seen twice by the tap (mirror ports, -i any); left out.' }),
    lostOctets: count.meta({ description: 'Acknowledged by their receivers, never seen by the tap.' }),
    lostSegments: count,
    backwards: count.meta({ description: 'Packets with a time before that of the packet ahead of them.' }),
    taps: count.meta({
      description:
        'Captures that were looked at each by itself: one, and one more wherever time goes back, by a second between files, or by a minute for a thousand packets.',
    }),
    oneSided: count.meta({ description: 'TCP conversations of which one direction only was seen.' }),
    fromTheMiddle: count.meta({ description: 'TCP conversations whose beginning was not seen.' }),
    offload: z.boolean().meta({ description: 'Packets larger than a segment: captured before the card cut them up.' }),
    cutShort: count.meta({ description: 'Conversations that were let go early, since there were too many at once.' }),
    otherPackets: count.meta({ description: 'Packets without IP, fragments behind the first, quotes in ICMP errors.' }),
  })
  .meta({ description: 'How far the capture can be trusted.' });

const stallTotals = z.object({ cause: stallCause, count, totalMs: ms, longestMs: ms });

const totals = z.object({
  conversations: count,
  tcp: count,
  quic: count.meta({ description: 'Of the conversations, those of QUIC.' }),
  dataPackets: count.meta({ description: 'TCP packets that carry something.' }),
  retransmittedSegments: count,
  spuriousSegments: count,
  reordered: count,
  exchanges: count,
  streams: count.meta({ description: 'Exchanges whose answer came in chunks.' }),
  chunks: count,
  stalls: z.array(stallTotals).meta({ description: 'By cause, the cause that took most first.' }),
});
export type CaptureTotals = z.infer<typeof totals>;

export const flowWithExchanges = captureFlow
  .extend({
    exchanges: z.array(judgedExchange),
    exchangesNotListed: count.meta({ description: 'Beyond those of a conversation that are listed.' }),
    pattern: classification
      .pick({ class: true, confidence: true, rule: true, why: true })
      .extend({ direction: flowDirection, from: z.string(), to: z.string() })
      .meta({ description: 'What its traffic looks like, and between which sites.' }),
  })
  .meta({ title: 'Conversation and what it carried', description: 'A conversation of a capture with its exchanges.' });
export type FlowWithExchanges = z.infer<typeof flowWithExchanges>;

export const captureReport = z
  .object({
    schema: z.literal('inferpath/capture@1'),
    version: z.string(),
    flows: z.array(flowWithExchanges),
    sources: z.array(source),
    startAt: z.iso.datetime().nullable().meta({ description: 'Time of the first packet; null: none had one.' }),
    durationMs: ms,
    packets: count,
    octets: count.meta({ description: 'On the wire.' }),
    quality,
    totals,
    patterns: patternReport
      .nullable()
      .meta({ description: 'Who talks to whom, and what it looks like; null: no packet.' }),
    roce: roceReport.nullable().meta({ description: 'RoCEv2 by queue pair; null: none was seen.' }),
    interrupted: z.boolean(),
  })
  .meta({
    id: 'capture',
    title: 'inferpath capture',
    description: 'What a capture tells of its conversations and of the inference they carried.',
  });
export type CaptureReport = z.infer<typeof captureReport>;
