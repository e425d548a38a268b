import * as z from 'zod';

const count = z.number().int().min(0);
const port = z.number().int().min(0).max(0xffff);
const range = z.tuple([z.number(), z.number()]);
const end = z.object({ address: z.string(), port: port.meta({ description: '0 where the protocol has none.' }) });
const interfaceIndex = z.number().int().min(0).nullable();

export const exportFormat = z.enum(['netflow-v5', 'netflow-v9', 'ipfix', 'sflow-v5']);

/** Who exported: the sender of the datagrams, and which of its series of messages. */
export const flowExporter = z
  .object({
    address: z.string(),
    port,
    format: exportFormat,
    domain: count.meta({
      description: 'Observation domain (IPFIX), source id (v9), engine type × 256 + id (v5) or sub-agent (sFlow).',
    }),
    agent: z.string().nullable().meta({ description: 'What an sFlow agent calls itself; null: not sFlow.' }),
  })
  .meta({ description: 'Who exported.' });
export type FlowExporter = z.infer<typeof flowExporter>;

const traffic = z.object({
  octets: z.number().min(0).meta({ description: 'Octets of IP, scaled by sampling; 0 where it is not counted.' }),
  packets: z.number().min(0).meta({ description: 'Packets, scaled by sampling; 0 where they are not counted.' }),
});

/** Traffic from one address to another, as an exporter has seen it. */
export const flowRecord = traffic
  .extend({
    startMs: z.number().meta({ description: 'First packet, ms since the epoch, by the clock of the exporter.' }),
    endMs: z.number().meta({ description: 'Last packet. sFlow has no times: when its datagram came, for both.' }),
    source: end,
    destination: end,
    protocol: z.number().int().min(0).max(255).nullable().meta({ description: 'IANA number; null: not said.' }),
    octetsRange: range.meta({
      description:
        'Where the true octets are with 95 % confidence, if packets were chosen by chance; both ends alike where all were looked at.',
    }),
    packetsRange: range,
    reverse: traffic.nullable().meta({ description: 'The other direction, where one record tells both (RFC 5103).' }),
    tcpFlags: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Flags of all its packets, FIN lowest; null: not said.' }),
    tos: z.number().int().min(0).max(255).nullable(),
    icmp: z.object({ type: z.number().int(), code: z.number().int() }).nullable(),
    direction: z
      .enum(['in', 'out'])
      .nullable()
      .meta({ description: 'Met where it comes into the exporter, or where it leaves; null: not said.' }),
    input: interfaceIndex.meta({ description: 'SNMP index of the interface that it came by; null: not said.' }),
    output: interfaceIndex,
    vlan: z.number().int().min(0).max(4095).nullable(),
    sampling: z
      .object({
        everyPackets: z.number().min(1).meta({ description: 'One packet in so many was looked at.' }),
        saidBy: z
          .enum(['record', 'header', 'options', 'nobody'])
          .meta({ description: 'nobody: taken for unsampled, which it may not be.' }),
      })
      .meta({ description: 'By what octets and packets were scaled.' }),
    exporter: flowExporter,
  })
  .meta({ description: 'One record of a flow export.' });
export type FlowRecord = z.infer<typeof flowRecord>;

/** What became of the messages of one exporter. */
export const exporterCounts = flowExporter
  .extend({
    messages: count,
    flows: count,
    otherRecords: count.meta({ description: 'Options, counters, and records of no traffic between two addresses.' }),
    malformed: count.meta({ description: 'Messages, sets, samples and records that end before they should.' }),
    unreadSets: count.meta({ description: 'Sets of records whose template did not come, or too late.' }),
    samplesDropped: count.meta({ description: 'Packets that an sFlow agent says it could not sample.' }),
    sequence: z
      .object({
        unit: z.enum(['flows', 'messages', 'records', 'datagrams']),
        lost: count.meta({ description: 'Exports that were numbered and did not come, in `unit`.' }),
        gaps: count,
        late: count,
        duplicates: count,
        restarts: count.meta({ description: 'The exporter began anew; what was lost around it is not known.' }),
        unjudged: count.meta({ description: 'Messages after which a gap would not show.' }),
      })
      .meta({ description: 'What the numbers of its messages say.' }),
    firstMs: z.number(),
    lastMs: z.number(),
  })
  .meta({ description: 'One exporter and what came of it.' });
export type ExporterCounts = z.infer<typeof exporterCounts>;

/** What a collector has seen. */
export const flowCollection = z
  .object({
    listen: z.array(z.object({ address: z.string(), port })),
    datagrams: count,
    foreign: count.meta({ description: 'Datagrams that are of no format that is read.' }),
    refused: count.meta({ description: 'Datagrams of senders that were not to be listened to.' }),
    kernelDrops: count.nullable().meta({
      description: 'Datagrams that the kernel dropped because this process was too slow; null: it does not say.',
    }),
    receiveBufferBytes: count.meta({ description: 'What the kernel grants as queue, the smallest of the sockets.' }),
    exporters: z.array(exporterCounts),
    exportersForgotten: count.meta({ description: 'Exporters beyond the most that are kept apart.' }),
    templatesEvicted: count,
  })
  .meta({ description: 'What came to the collector of flow exports, and what was lost.' });
export type FlowCollection = z.infer<typeof flowCollection>;
