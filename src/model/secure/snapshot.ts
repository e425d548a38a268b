import * as z from 'zod';

const address = z.string().max(64).meta({ description: 'IP address in its shortest form.' });
const port = z.number().int().min(0).max(65_535);
const count = z.number().int().min(0);
const time = z.number().nullable();
const protocol = z.string().max(20).meta({ description: 'tcp, udp, icmp, icmpv6, or the number of another protocol.' });

export const listener = z
  .object({
    protocol,
    address,
    port,
    certain: z.boolean().meta({
      description: 'False for a UDP socket without a peer: it may be a client that waits for its answer.',
    }),
    process: z.string().max(100).optional(),
    seen: count.meta({ description: 'Samples, or lines, that show it.' }),
  })
  .meta({ description: 'A socket that waits for others.' });
export type Listener = z.infer<typeof listener>;

export const flow = z
  .object({
    from: address.meta({ description: 'Who opened it.' }),
    to: address,
    protocol,
    port: port.meta({ description: 'Port of the side that was called; for ICMP its type; 0 where there is none.' }),
    direction: z
      .enum(['in', 'out', 'through'])
      .meta({ description: 'As the host that saw it: opened towards it, from it, or between two others.' }),
    seen: count.meta({ description: 'Times it was seen: samples times connections, lines of a log, records.' }),
    denied: count.meta({ description: 'Of these, how many a firewall had already kept out.' }),
    firstMs: time.meta({ description: 'Milliseconds since the epoch; null where the source has no times.' }),
    lastMs: time,
    bytesOut: z.number().min(0).optional().meta({ description: 'Octets from the opener, where they were counted.' }),
    bytesIn: z.number().min(0).optional(),
    process: z.string().max(100).optional(),
    translatedFrom: z
      .object({ address, port })
      .optional()
      .meta({ description: 'Where the opener wanted to go, before address translation.' }),
    how: z.string().max(400).meta({ description: 'How it is known who opened it.' }),
  })
  .meta({ description: 'Who called whom on which port: connections of the same kind, counted.' });
export type Flow = z.infer<typeof flow>;

/** What was seen of connections: by itself the thing to keep and to compare with later. */
export const snapshot = z
  .object({
    fromMs: time.meta({ description: 'Earliest and latest time of what was seen.' }),
    toMs: time,
    samples: count.meta({ description: 'Looks at the list of sockets; 0 where only logs and records were read.' }),
    intervalS: z.number().positive().nullable().meta({ description: 'Time between two looks, s.' }),
    sources: z.array(
      z.object({
        name: z.string().max(300),
        format: z.string().max(40),
        connections: count,
        mistakes: count.meta({ description: 'Lines of which nothing could be made.' }),
        gaps: count.meta({ description: 'Times about which the source says itself that it missed something.' }),
      }),
    ),
    listeners: z.array(listener).max(200_000),
    flows: z.array(flow).max(200_000),
    undirected: count.meta({
      description: 'Connections of which nobody can tell who opened them; they are in no flow.',
    }),
    loopback: count.meta({ description: 'Connections of the host with itself; they are in no flow.' }),
    leftOut: count.meta({ description: 'Connections beyond what is kept apart; they are in no flow.' }),
  })
  .meta({ description: 'Listening sockets and flows as they were seen, with how often was looked.' });
export type Snapshot = z.infer<typeof snapshot>;
