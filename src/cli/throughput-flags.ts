import * as z from 'zod';
import type { FlagValues } from './command.ts';

const scale: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 };

/** A number with a unit prefix: `100M`, `1.5G` decimal, `64Ki` binary. */
export function scaled(low: number, high: number, what: string) {
  return z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)(|[kmgt]|[kmg]i)$/i.exec(text);
    const value = match ? Math.round(Number(match[1]) * scale[match[2]!.toLowerCase()]!) : Number.NaN;
    if (value >= low && value <= high) return value;
    context.addIssue({ code: 'custom', message: `allowed: ${what} like 100M, 1.5G or 64Ki, from ${low} to ${high}` });
    return z.NEVER;
  });
}

const load = 'Load';
const latency = 'Latency under load';
const output = 'Output';
const server = 'Server';

export const throughputFlags = {
  port: {
    schema: z.coerce.number().int().min(1).max(65_535).optional(),
    about: 'Port of the server where the target gives none; default 5201.',
    value: 'PORT',
    short: 'p',
  },
  duration: {
    schema: z.coerce.number().min(0.1).max(3600).optional(),
    about: 'Seconds for which data flows; default 10.',
    value: 'S',
    short: 't',
  },
  reverse: { schema: z.boolean().default(false), about: 'The server sends: measures the way down.', short: 'R' },
  bidir: { schema: z.boolean().default(false), about: 'Both ways at the same time.' },
  parallel: {
    schema: z.coerce.number().int().min(1).max(128).default(1),
    about: 'Streams each way; default 1.',
    value: 'N',
    short: 'P',
  },
  family: { schema: z.enum(['4', '6']).optional(), about: 'Use only IPv4 or only IPv6.', value: '4|6' },
  udp: { schema: z.boolean().default(false), about: 'UDP in place of TCP: loss and jitter.', short: 'u', group: load },
  bitrate: {
    schema: scaled(0, 1e12, 'a rate in bit/s').optional(),
    about: 'Bits per second of each stream, 0 without bound; default UDP 1 Mbit/s, TCP without bound.',
    value: 'RATE',
    short: 'b',
    group: load,
  },
  bytes: {
    schema: scaled(1, 1e14, 'a size in octets').optional(),
    about: 'End after so many octets, over all streams, in place of --duration.',
    value: 'SIZE',
    short: 'n',
    group: load,
  },
  blocks: {
    schema: scaled(1, 1e12, 'a count').optional(),
    about: 'End after so many blocks of --length, in place of --duration.',
    value: 'N',
    short: 'k',
    group: load,
  },
  maxBytes: {
    schema: scaled(1, 1e15, 'a size in octets').default(25e9),
    about: 'Bound on a test that ends by time, both ways together; default 25G.',
    value: 'SIZE',
    group: load,
  },
  omit: {
    schema: z.coerce.number().int().min(0).max(60).default(0),
    about: 'Seconds of slow start before it that do not count; default 0.',
    value: 'S',
    short: 'O',
    group: load,
  },
  length: {
    schema: scaled(16, 2 ** 20, 'a size in octets').optional(),
    about: 'Octets per send or datagram; default TCP 128Ki, UDP what fits a packet.',
    value: 'SIZE',
    short: 'l',
    group: load,
  },
  window: {
    schema: scaled(1024, 512 * 2 ** 20, 'a size in octets').optional(),
    about: 'Socket buffers of both sides; default as the kernel tunes them.',
    value: 'SIZE',
    short: 'w',
    group: load,
  },
  mss: {
    schema: z.coerce.number().int().min(88).max(32_767).optional(),
    about: 'Largest TCP segment, octets; default what the path allows.',
    value: 'BYTES',
    short: 'M',
    group: load,
  },
  nodelay: { schema: z.boolean().default(false), about: 'TCP_NODELAY.', short: 'N', group: load },
  congestion: {
    schema: z
      .string()
      .regex(/^[\w-]{1,15}$/, 'a name like cubic or bbr')
      .optional(),
    about: 'Congestion control of the sender, e.g. cubic; default that of the system.',
    value: 'NAME',
    short: 'C',
    group: load,
  },
  dscp: {
    schema: z.coerce.number().int().min(0).max(63).optional(),
    about: 'Differentiated services code point of the load, 46 is EF; default 0.',
    value: 'N',
    group: load,
  },
  latency: {
    schema: z.boolean().default(true),
    about: 'Measure round trips before and during the load; the default.',
    group: latency,
  },
  latencyInterval: {
    schema: z.coerce.number().min(5).max(10_000).default(50),
    about: 'Milliseconds between two round-trip probes; default 50.',
    value: 'MS',
    group: latency,
  },
  interval: {
    schema: z.coerce.number().min(0.1).max(60).default(1),
    about: 'Seconds per interval of the report; default 1.',
    value: 'S',
    short: 'i',
    group: output,
  },
  json: {
    schema: z.boolean().default(false),
    about: 'One JSON document on stdout; with --serve one line per event (inferpath schema throughput).',
    group: output,
  },
  iperfJson: {
    schema: z.boolean().default(false),
    about: 'The shape of iperf3 -J on stdout, for scripts that read that.',
    group: output,
  },
  serve: { schema: z.boolean().default(false), about: 'Be the server, for iperf3 clients and ours.', group: server },
  listen: {
    schema: z.string().default('127.0.0.1:5201'),
    about: "Address to serve on; '[::]:5201' serves everybody; default 127.0.0.1:5201.",
    value: 'IP:PORT',
    group: server,
  },
  maxClients: {
    schema: z.coerce.number().int().min(1).max(1000).default(16),
    about: 'Tests at the same time; more are told that the server is busy; default 16.',
    value: 'N',
    group: server,
  },
  maxDuration: {
    schema: z.coerce.number().int().min(1).max(86_400).default(300),
    about: 'Longest test that is served, s; default 300.',
    value: 'S',
    group: server,
  },
  maxBitrate: {
    schema: scaled(1, 1e13, 'a rate in bit/s').optional(),
    about: 'Bound on the rate of each test served, bit/s; default none.',
    value: 'RATE',
    group: server,
  },
  once: { schema: z.boolean().default(false), about: 'End after one test.', group: server },
} as const;

export type ThroughputFlags = FlagValues<typeof throughputFlags>;
