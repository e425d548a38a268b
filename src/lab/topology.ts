import { isIP, isIPv4 } from 'node:net';
import * as z from 'zod';
import { IPV6_MIN_MTU } from '../wire/ip.ts';

/**
 * What an emulated network is made of. The schema is the types, the parser and the documentation; `readTopology()` puts file
 * and line on whatever is wrong, `startLab()` takes either a file's topology or a literal of the same shape.
 */
const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,31}$/,
    'a name of lower-case letters, digits and hyphens that starts with a letter, at most 32',
  );
const milliseconds = z.number().min(0).max(60_000);
const ratio = z.number().min(0).max(1);

const burstLoss = z
  .strictObject({
    ratio: z.number().min(0).max(0.9).meta({ description: 'Long-run share of packets lost, 0 to 0.9.' }),
    meanBurst: z
      .number()
      .min(1)
      .max(10_000)
      .meta({
        description:
          'Mean number of packets lost in a row (two-state Gilbert model); without it losses are independent.',
      })
      .optional(),
  })
  // Entering a burst would need a chance above one.
  .refine(
    ({ ratio, meanBurst = Number.POSITIVE_INFINITY }) => ratio <= meanBurst * (1 - ratio),
    'meanBurst of at least ratio / (1 - ratio)',
  );

const conditions = {
  delayMs: milliseconds.meta({ description: 'Propagation delay one way, milliseconds; default 0.' }).optional(),
  jitterMs: milliseconds
    .meta({ description: 'Extra delay drawn evenly from 0 to this, milliseconds, order kept; default 0.' })
    .optional(),
  loss: z
    .union([ratio, burstLoss])
    .meta({ description: 'Share of packets lost at random, or `{ratio, meanBurst}` for bursts; default 0.' })
    .optional(),
  reorder: ratio
    .meta({ description: 'Share of packets held back by `reorderMs`, so that later ones overtake them; default 0.' })
    .optional(),
  reorderMs: milliseconds
    .meta({ description: 'How long a reordered packet is held back, milliseconds; default 2.' })
    .optional(),
  rateMbit: z
    .number()
    .min(0.001)
    .max(100_000)
    .meta({ description: 'Transmission rate in megabit per second of IP bytes; default unlimited.' })
    .optional(),
  queuePackets: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: 'Drop-tail queue of the rate limit, packets waiting; not together with queueMs.' })
    .optional(),
  queueMs: z
    .number()
    .min(0)
    .max(60_000)
    .meta({ description: 'Drop-tail queue of the rate limit as longest wait, milliseconds; default 100.' })
    .optional(),
  aqm: z
    .enum(['none', 'codel'])
    .meta({
      description:
        'Active queue management of the rate limit: CoDel (RFC 8289) instead of drop-tail alone; default none.',
    })
    .optional(),
  duplicate: ratio
    .meta({ description: 'Share of packets that arrive twice, one right after the other; default 0.' })
    .optional(),
  mtu: z
    .int()
    .min(IPV6_MIN_MTU)
    .max(9216)
    .meta({ description: 'Largest IP packet in bytes, 1280 to 9216; default 1500.' })
    .optional(),
};

const cost = z.number().min(0.001).max(1e6);
const directionSchema = z.strictObject({
  ...conditions,
  cost: cost.meta({ description: 'Routing cost of this direction alone, so that the way back differs.' }).optional(),
});

const address = z
  .string()
  .refine(
    (text) =>
      isIP(text) !== 0 && !text.includes('%') && !/^(0|127|22[4-9]|2[3-5]\d)\.|^(ff|fe[89ab])|^::1?$/i.test(text),
    'a unicast IPv4 or IPv6 address, neither loopback nor link-local',
  );
const addresses = z
  .array(address)
  .max(2)
  .refine((list) => list.length < 2 || isIPv4(list[0]!) !== isIPv4(list[1]!), 'at most one IPv4 and one IPv6 address')
  .meta({
    description: 'One IPv4 and/or one IPv6 address; whichever is missing is given from 10.0.0.0/8 and fd00::/8.',
  });

const linkSchema = z.strictObject({
  a: name.meta({ description: 'Host or router at one end.' }),
  b: name.meta({ description: 'Host or router at the other end.' }),
  cost: cost
    .meta({ description: 'Routing cost of either direction; default: its delay in milliseconds plus one per hop.' })
    .optional(),
  ...conditions,
  ab: directionSchema.meta({ description: 'Overrides for the direction from a to b.' }).optional(),
  ba: directionSchema.meta({ description: 'Overrides for the direction from b to a.' }).optional(),
  aAddresses: addresses
    .meta({ description: 'Addresses of router a on this link; its errors about packets that came this way bear them.' })
    .optional(),
  bAddresses: addresses.meta({ description: 'The same for router b.' }).optional(),
});

const hostSchema = z.strictObject({
  name,
  addresses: addresses.optional(),
  command: z
    .array(z.string())
    .min(1)
    .meta({
      description: 'Service started with the lab inside the host; `{name}`, `{name.4}`, `{name.6}` become addresses.',
    })
    .optional(),
  env: z.record(z.string(), z.string()).meta({ description: 'Environment variables added for `command`.' }).optional(),
  readyPort: z
    .int()
    .min(1)
    .max(65_535)
    .meta({ description: 'TCP port the service must listen on before the lab counts as started.' })
    .optional(),
});

export const balanceModes = ['none', 'per-flow', 'per-destination', 'per-packet'] as const;
export const interfaceParts = ['index', 'address', 'name', 'mtu'] as const;

const icmpSchema = z.strictObject({
  perSecond: z.number().min(0.01).max(1e6).meta({ description: 'ICMP messages sent per second at most.' }).optional(),
  burst: z.int().min(1).max(1e6).meta({ description: 'Messages that may be sent at once; default 1.' }).optional(),
  perDestinationMs: milliseconds
    .meta({
      description:
        'One error per destination in so many milliseconds, six at once, as icmp_ratelimit of Linux; default 0.',
    })
    .optional(),
  tooBig: z
    .boolean()
    .meta({
      description: 'false: drops what is too big without a word: a black hole for path MTU discovery; default true.',
    })
    .optional(),
  delayMs: milliseconds
    .meta({
      description: 'Slow control plane: its own messages leave so much later; forwarding is not touched; default 0.',
    })
    .optional(),
  jitterMs: milliseconds
    .meta({ description: 'Extra delay of its own messages, drawn evenly from 0 to this; default 0.' })
    .optional(),
});

const mplsSchema = z.strictObject({
  labels: z
    .array(z.int().min(16).max(0xfffff))
    .min(1)
    .max(6)
    .meta({ description: 'Label stack with which packets reach this router, top first.' }),
  ttl: z
    .enum(['uniform', 'pipe'])
    .meta({
      description:
        '`uniform` (RFC 3443): hops show in a trace; `pipe`: labels bear a TTL of 255, hops are hidden; default uniform.',
    })
    .default('uniform'),
  quoted: z
    .boolean()
    .meta({ description: 'Time exceeded carries the label stack (RFC 4950); default true.' })
    .default(true),
});

const natSchema = z.strictObject({
  outside: name.meta({ description: 'The neighbour behind which the outside lies.' }),
  preservePorts: z
    .boolean()
    .meta({ description: 'Keeps the source port or echo identifier while it is free; default true.' })
    .default(true),
  quotes: z
    .enum(['full', 'headers', 'none'])
    .meta({
      description:
        'What is translated back inside ICMP errors: `full` also mends the quoted transport checksum, `headers` leaves it, `none` leaves the quote; default full.',
    })
    .default('full'),
  ipv6: z.boolean().meta({ description: 'Translates IPv6, too; default false.' }).default(false),
});

const routerSchema = z.strictObject({
  name,
  addresses: addresses.optional(),
  icmp: z
    .union([z.boolean(), icmpSchema])
    .meta({
      description:
        'false: forwards in silence; `{perSecond, burst}`: a token bucket over all its ICMP; more keys below; default true.',
    })
    .optional(),
  balance: z
    .enum(balanceModes)
    .meta({
      description:
        'What a router does with several next hops of equal cost: `none` takes the first listed, `per-flow` hashes addresses, ' +
        'protocol and ports (of ICMP: type, code and checksum), `per-destination` addresses alone, `per-packet` draws; default none.',
    })
    .optional(),
  flowLabel: z
    .boolean()
    .meta({
      description: 'per-flow over IPv6 hashes the flow label (RFC 6438) instead of protocol and ports; default false.',
    })
    .optional(),
  mpls: mplsSchema
    .meta({
      description:
        'The router switches labels: it lies inside a label-switched path that its neighbours begin and end.',
    })
    .optional(),
  interfaceInfo: z
    .union([z.boolean(), z.array(z.enum(interfaceParts)).min(1)])
    .meta({
      description:
        'ICMP errors carry the incoming interface (RFC 5837): true for all of index, address, name, mtu; default false.',
    })
    .optional(),
  nat: natSchema
    .meta({ description: 'The router translates source addresses and ports towards one neighbour.' })
    .optional(),
  ttl: z
    .union([z.literal('keep'), z.int().min(1).max(255)])
    .meta({
      description: '`keep`: TTL and hop limit pass untouched; a number: they are set to it; default: decremented.',
    })
    .optional(),
  dscp: z
    .int()
    .min(0)
    .max(63)
    .meta({ description: 'DSCP written into every packet that passes, ECN kept; default: untouched.' })
    .optional(),
});

const timelineSchema = z
  .strictObject({
    atMs: z
      .number()
      .min(0)
      .max(86_400_000)
      .meta({ description: 'When, milliseconds after the first packet that any host sends.' }),
    everyMs: z
      .number()
      .min(1)
      .max(86_400_000)
      .meta({ description: 'Happens again after each such time; default: once.' })
      .optional(),
    link: z
      .tuple([name, name])
      .meta({ description: 'The links between these two; either this or `router`.' })
      .optional(),
    oneWay: z
      .boolean()
      .meta({ description: 'Only the direction from the first to the second; default false.' })
      .default(false),
    router: name.meta({ description: 'All links of this router.' }).optional(),
    set: z.strictObject({
      ...conditions,
      cost: cost.meta({ description: 'New routing cost.' }).optional(),
      down: z.boolean().meta({ description: 'true: nothing passes; false: it works again.' }).optional(),
    }),
    convergeMs: milliseconds
      .meta({
        description:
          'How long routers take to find other ways after `down` or `cost`; packets die on a link that is down meanwhile; default 0.',
      })
      .default(0),
  })
  .refine((step) => (step.link === undefined) !== (step.router === undefined), 'either link or router');

export const topologySchema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .meta({ description: 'Seed of all loss, jitter and reordering; default 1.' })
    .default(1),
  hosts: z
    .array(hostSchema)
    .min(1)
    .max(64)
    .meta({ description: 'Ends of the network: one namespace and TUN device each.' }),
  routers: z.array(routerSchema).max(192).meta({ description: 'Emulated routers between them.' }).default([]),
  links: z
    .array(linkSchema)
    .max(1024)
    .meta({ description: 'Point-to-point links; routes are shortest paths.' })
    .default([]),
  interfaces: z
    .boolean()
    .meta({
      description:
        'Routers get an address per link (from 10.3.0.0/16 and fd00:3::/32) and answer with the one of the link that the packet came by; default: one address per router.',
    })
    .default(false),
  timeline: z
    .array(timelineSchema)
    .max(1000)
    .meta({ description: 'Changes of links over time, in any order.' })
    .default([]),
});

export type Topology = z.output<typeof topologySchema>;
export type TopologyInput = z.input<typeof topologySchema>;
export type Link = Topology['links'][number];
export type Router = Topology['routers'][number];
export type Step = Topology['timeline'][number];
export type Conditions = z.output<typeof directionSchema>;
