import * as z from 'zod';

const port = z.number().int().min(1).max(65_535);

export const mtuOptions = z.strictObject({
  method: z
    .enum(['auto', 'icmp', 'udp', 'stamp', 'tcp'])
    .default('auto')
    .meta({
      description:
        'icmp: echo; udp: to a closed port, whose "port unreachable" is the answer; stamp: our reflector, each direction by ' +
        'itself; tcp: only what the kernel knows of a connection (TCP_INFO); auto: echo, and where it is not permitted or not ' +
        'answered, udp.',
    }),
  port: port.optional().meta({
    description: 'TCP port whose segment sizes are looked at; that of the URL by default.',
  }),
  udpPort: port.default(33_434).meta({ description: 'Closed port for udp.' }),
  stampPort: port.default(8620).meta({ description: 'Port of the reflector for stamp.' }),
  maxBytes: z.number().int().min(128).max(65_535).default(9216).meta({
    description: 'Largest IP packet to try, octets; never above the MTU of the own interface.',
  }),
  count: z.number().int().min(1).max(10).default(3).meta({
    description:
      'Probes of one size before silence may mean that it is too big (MAX_PROBES of RFC 8899); more under loss.',
  }),
  timeoutMs: z.number().min(50).max(60_000).default(1000).meta({ description: 'Longest wait for an answer, ms.' }),
  hops: z.boolean().default(true).meta({ description: 'Look for the hop at which large packets get lost.' }),
  maxHops: z.number().int().min(1).max(64).default(30).meta({ description: 'Highest TTL of that.' }),
});
export type MtuOptions = z.output<typeof mtuOptions>;
