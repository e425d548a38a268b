import * as z from 'zod';
import type { ObservationOf } from '../../model/observation.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import type { Io } from '../../wire/io.ts';
import { watchLoopLag } from '../../wire/loop-lag.ts';
import type { Probe, Target } from '../probe.ts';
import { configUrlOf } from './config.ts';
import { draftParameters } from './core.ts';
import { type ResponsivenessOptions, runResponsiveness } from './run.ts';

const CONNECT_MS = 10_000;

const responsivenessOptions = z.strictObject({
  direction: z.enum(['both', 'download', 'upload']).default('both').meta({ description: 'What to load, in turn.' }),
  durationS: z.number().positive().max(3600).default(60).meta({ description: 'Longest time for each direction, s.' }),
  intervalS: z.number().min(0.5).max(60).default(draftParameters.intervalS).meta({
    description: 'Length of an interval, s: after each one more connection is added and stability checked.',
  }),
  connections: z.number().int().min(1).max(64).default(draftParameters.connectionsMax).meta({
    description: 'Load-generating connections at most.',
  }),
  probesPerSecond: z.number().min(1).max(100).default(20).meta({ description: 'Pairs of probes per second at most.' }),
  maxBytes: z.number().positive().default(2e9).meta({ description: 'Most octets to move, both directions together.' }),
  allowHosts: z.array(z.string().min(1)).default([]).meta({
    description: 'Hosts that the configuration of the server may send us to, besides its own.',
  }),
  insecure: z.boolean().default(false).meta({ description: 'Do not verify the certificate of the server.' }),
});

type Options = z.output<typeof responsivenessOptions>;

export const responsivenessProbe: Probe<typeof responsivenessOptions> = {
  kind: 'responsiveness',
  about: 'Round trips per minute while the path is loaded (draft-ietf-ippm-responsiveness-09)',
  options: responsivenessOptions,
  async *run(target, options, io, signal): AsyncIterable<ObservationOf<'responsiveness'>> {
    const at = new Date(io.clock.wallMs()).toISOString();
    const url = configUrlOf(target.url);
    const head = { kind: 'responsiveness' as const, at, from: target.vantage, to: target.name, url: url.href };
    if (url.protocol !== 'https:') {
      yield { ...head, ...needsTls(url), idle: null, directions: [], eventLoopLagP99Ms: 0 };
      return;
    }
    yield { ...head, ...(await measure(url, target, options, io, signal)) };
  },
};

type Measured = Pick<ObservationOf<'responsiveness'>, 'how' | 'outcome' | 'idle' | 'directions' | 'eventLoopLagP99Ms'>;

async function measure(url: URL, target: Target, options: Options, io: Io, signal: AbortSignal): Promise<Measured> {
  const lag = watchLoopLag(() => io.clock.monoMs());
  const transport = io.sockets.openTcp({ tap: false });
  try {
    const result = await runResponsiveness(setUp(url, target, options), transport, io, signal, () => undefined);
    const rising = sorted([...lag.samples()]);
    const eventLoopLagP99Ms = rising.length === 0 ? 0 : quantile(rising, 0.99);
    const unverified = options.insecure ? '; certificates were not verified' : '';
    return { ...result, how: `HTTP/2 over TLS, ${transport.about}${unverified}`, eventLoopLagP99Ms };
  } finally {
    lag.stop();
    await transport.close();
  }
}

function setUp(url: URL, target: Target, options: Options): ResponsivenessOptions {
  const { direction, durationS, intervalS, connections, probesPerSecond, maxBytes, allowHosts, insecure } = options;
  const { family, resolve, ca, clientCert, clientKey } = target;
  return {
    url,
    allowedHosts: allowHosts,
    directions: direction === 'both' ? ['download', 'upload'] : [direction],
    parameters: { ...draftParameters, intervalS, connectionsMax: connections, probesPerSecond },
    durationMs: durationS * 1000,
    bytesMax: maxBytes,
    link: {
      family,
      resolve,
      http2: true,
      insecure,
      ca,
      clientCert,
      clientKey,
      connectTimeoutMs: Math.min(CONNECT_MS, durationS * 1000),
    },
  };
}

function needsTls({ host, protocol }: URL): Pick<Measured, 'how' | 'outcome'> {
  const message = `the draft asks for https, not for ${protocol.slice(0, -1)}`;
  return {
    how: message,
    outcome: { kind: 'failed', phase: 'tls', operation: 'connect', errno: 'EPROTO', address: host, message },
  };
}
