import * as z from 'zod';
import type { ObservationOf } from '../../model/observation.ts';
import { resolveTarget } from '../dns.ts';
import type { Probe } from '../probe.ts';
import { runClient } from './client.ts';
import { UDP_BLOCK_MAX_BYTES, UDP_DEFAULT_BITS_PER_S } from './parameters.ts';

/** iperf3's own. */
export const IPERF_PORT = 5201;
/** A test bounded by time stops here all the same: 10 s at 20 Gbit/s. */
export const DEFAULT_CAP_BYTES = 25e9;
const CONNECT_MS = 10_000;

export const throughputOptions = z.strictObject({
  port: z
    .union([z.literal('url'), z.number().int().min(1).max(65_535)])
    .default(IPERF_PORT)
    .meta({
      description: 'Port of the iperf3 server on the host of the URL; url: that of the URL. 5201 by default.',
    }),
  protocol: z.enum(['tcp', 'udp']).default('tcp').meta({ description: 'What carries the load.' }),
  direction: z.enum(['up', 'down', 'both']).default('up').meta({ description: 'up: from here to the server.' }),
  durationS: z.number().positive().max(3600).default(10).meta({ description: 'How long data flows, s.' }),
  omitS: z
    .number()
    .int()
    .min(0)
    .max(60)
    .default(0)
    .meta({ description: 'Slow start before it that does not count, s.' }),
  parallel: z.number().int().min(1).max(128).default(1).meta({ description: 'Streams each way.' }),
  mbitPerS: z.number().positive().optional().meta({
    description: 'Rate of each stream, Mbit/s; UDP 1 by default, TCP as fast as it goes.',
  }),
  blockBytes: z.number().int().min(16).max(UDP_BLOCK_MAX_BYTES).optional().meta({
    description: 'Octets per send or datagram; TCP 131072 by default, UDP what fits a packet.',
  }),
  intervalS: z.number().min(0.1).max(60).default(1).meta({ description: 'Length of the intervals that are told, s.' }),
  latency: z.boolean().default(true).meta({ description: 'Measure round trips before and during the load.' }),
  latencyIntervalMs: z.number().min(5).max(10_000).default(50).meta({ description: 'Time between two of them, ms.' }),
  capBytes: z.number().positive().default(DEFAULT_CAP_BYTES).meta({ description: 'Most octets to move, both ways.' }),
});

export const throughputProbe: Probe<typeof throughputOptions> = {
  kind: 'throughput',
  about: 'Throughput to an iperf3 server, and the round trips while the path is full',
  options: throughputOptions,
  async *run(target, options, io, signal): AsyncIterable<ObservationOf<'throughput'>> {
    const at = new Date(io.clock.wallMs()).toISOString();
    const { addresses, outcome, how, port: urlPort } = await resolveTarget(target, io, signal);
    const port = options.port === 'url' ? urlPort : options.port;
    const [first] = addresses;
    const head = { kind: 'throughput' as const, at, from: target.vantage, to: target.name, port };
    if (first === undefined) {
      yield { ...head, address: '', how, outcome, test: null };
      return;
    }
    if (io.platform !== 'linux') {
      yield { ...head, address: first.address, ...unavailable(io.platform, first.address), test: null };
      return;
    }
    const { mbitPerS, ...rest } = options;
    const bitsPerS = mbitPerS === undefined ? defaultBitsPerS(options.protocol) : mbitPerS * 1e6;
    const { address } = first;
    const result = await runClient({ ...rest, address, port, bitsPerS, connectTimeoutMs: CONNECT_MS }, io, signal);
    yield { ...head, address, how: result.how, outcome: result.outcome, test: result.test };
  },
};

function unavailable(platform: string, address: string): Pick<ObservationOf<'throughput'>, 'how' | 'outcome'> {
  const how = `data is moved by system calls of Linux, which ${platform} does not have`;
  return {
    how,
    outcome: { kind: 'failed', phase: 'wait', operation: 'throughput', errno: 'ENOTSUP', address, message: how },
  };
}

export function defaultBitsPerS(protocol: 'tcp' | 'udp'): number {
  return protocol === 'udp' ? UDP_DEFAULT_BITS_PER_S : 0;
}
