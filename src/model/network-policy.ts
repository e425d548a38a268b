import * as z from 'zod';
import { named } from './patterns.ts';

const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);
const nameOf = (description: string) => name.meta({ description });
const listOf = <T extends z.ZodType>(item: T, description: string) =>
  z.array(item).max(10_000).default([]).meta({ description });

/** An address or a CIDR; whether it is one is checked with the rest of the file. */
export const cidr: z.ZodString = z
  .string()
  .max(60)
  .regex(named.cidr.pattern, `must be ${named.cidr.words}`)
  .meta({ description: 'IPv4 or IPv6 address or CIDR, like 10.1.0.0/16 or 2001:db8:1::/48.' });

const group = z
  .strictObject({
    name: nameOf('Name that the lines below use; none of a site or an endpoint.'),
    cidrs: listOf(cidr, 'Addresses and CIDRs in it.'),
    sites: listOf(name, 'Sites whose addresses (sites.cidrs) are in it.'),
    endpoints: listOf(name, 'Endpoints whose addresses are in it.'),
    groups: listOf(name, 'Groups whose addresses are in it.'),
    except: listOf(cidr, 'Addresses and CIDRs that are not in it, whatever else it has.'),
  })
  .meta({ description: 'Addresses under one name.' });

/** ICMP messages by what they are for, with their types in ICMP (RFC 792) and ICMPv6 (RFC 4443); null: has none. */
export const icmpTypes = {
  'echo-request': { 4: 8, 6: 128 },
  'echo-reply': { 4: 0, 6: 129 },
  'destination-unreachable': { 4: 3, 6: 1 },
  'time-exceeded': { 4: 11, 6: 3 },
  'parameter-problem': { 4: 12, 6: 4 },
  'packet-too-big': { 4: null, 6: 2 },
  'timestamp-request': { 4: 13, 6: null },
} as const;
const icmpType = z.enum(Object.keys(icmpTypes) as (keyof typeof icmpTypes)[]);

const ports = z.union([
  z.number().int().min(0).max(65_535),
  z.string().regex(named.portRange.pattern, `must be ${named.portRange.words}`),
]);

const service = z
  .strictObject({
    name: nameOf('Name that the lines below use.'),
    protocol: z.enum(['tcp', 'udp', 'icmp', 'any']).meta({
      description: 'Transport protocol; icmp is ICMP for IPv4 and ICMPv6 for IPv6; any is every protocol and port.',
    }),
    ports: z.array(ports).min(1).max(1000).optional().meta({
      description: 'Of tcp and udp: ports and ranges like 30000-30010 that the server listens on; default: all.',
    }),
    types: z.array(icmpType).min(1).max(20).optional().meta({ description: 'Of icmp: which messages; default: all.' }),
  })
  .meta({ description: 'Protocol and ports under one name.' });

const line = z
  .strictObject({
    name: nameOf('Name that stands as comment on every rule made of this line.'),
    from: z.array(name).min(1).max(1000).meta({ description: 'Who begins: groups, sites, endpoints, or any.' }),
    to: z.array(name).min(1).max(1000).meta({ description: 'Who is reached: groups, sites, endpoints, or any.' }),
    services: z
      .array(z.string().regex(named.service.pattern, `must be ${named.service.words}`))
      .min(1)
      .max(1000)
      .optional()
      .meta({
        description:
          'Names of services, or tcp/443, udp/53, tcp/30000-30010 in place; default: of endpoints in `to` the port of their url.',
      }),
    why: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .regex(named.oneLine.pattern, `must be ${named.oneLine.words}`)
      .meta({ description: 'What breaks without it: one line, for whoever asks in a year.' }),
  })
  .meta({ description: 'One permission: who may begin to talk to whom. Answers need none.' });

/** Where packets are judged. */
export const policyHook = z.enum(['inbound', 'outbound', 'published', 'forward']);
export type PolicyHook = z.infer<typeof policyHook>;

export const policy = z
  .strictObject({
    enforce: z
      .array(policyHook)
      .min(1)
      .max(4)
      .default(['inbound', 'published'])
      .meta({
        description:
          'Where a host denies by default: inbound (to itself), outbound (from itself), published (ports of containers, which are ' +
          'forwarded and pass by the inbound rules), forward (everything it forwards; for routers). Default: inbound and published.',
      }),
    groups: listOf(group, 'Who there is.'),
    services: listOf(service, 'What there is to reach.'),
    allow: listOf(line, 'Who may reach what. Everything else is denied; the order means nothing.'),
  })
  .meta({ description: 'Who may reach what; the rest is denied.' });
export type NetworkPolicy = z.infer<typeof policy>;
export type PolicyGroup = NetworkPolicy['groups'][number];
export type PolicyService = NetworkPolicy['services'][number];
