import { z } from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import { type Link, LinkError, openLink } from './inference/link.ts';
import { formatTarget } from '../wire/tcp/connection.ts';
import { portOf } from './dns.ts';
import type { Probe } from './probe.ts';

export const tcpOptions = z.strictObject({
  count: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({ description: 'Connections to make, one after the other.' }),
  intervalMs: z.number().min(0).max(60_000).default(100).meta({ description: 'Pause between two connections, ms.' }),
  timeoutMs: z.number().positive().max(60_000).default(5000).meta({ description: 'Longest wait for one, ms.' }),
});

/** Opens and closes connections to the endpoint's port: SYN to SYN-ACK by the kernel's own measure, and SYNs that were lost. */
export const tcpProbe: Probe<typeof tcpOptions> = {
  kind: 'tcp',
  about: 'TCP handshake to the port of the endpoint, as a new connection sees it',
  options: tcpOptions,
  async *run(target, options, io, signal) {
    const transport = io.sockets.openTcp({ tap: false });
    // Only the handshake is asked for: the scheme says nothing about TLS here, the port stays that of the URL.
    const bare = new URL(`http://${target.url.hostname}:${portOf(target.url)}/`);
    try {
      for (let i = 0; i < options.count && !signal.aborted; i++) {
        if (i > 0) await io.clock.sleep(options.intervalMs, signal).catch(() => undefined);
        const base = {
          kind: 'tcp' as const,
          at: new Date(io.clock.wallMs()).toISOString(),
          from: target.vantage,
          to: target.name,
          how: transport.stamps === 'kernel' ? 'round trip by the kernel (TCP_INFO)' : 'user clock around connect()',
        };
        const link = {
          family: target.family,
          resolve: target.resolve,
          http2: false,
          insecure: true,
          connectTimeoutMs: options.timeoutMs,
        };
        let opened: Link | null = null;
        try {
          opened = await openLink(bare, link, transport, io, signal);
          const { trace } = opened.tcp;
          yield {
            ...base,
            outcome: { kind: 'answered' },
            address: formatTarget(trace.target),
            rttMs: trace.handshakeRttMs ?? (trace.connectedMs === null ? null : trace.connectedMs - trace.connectMs),
            synRetransmits: trace.synRetransmits,
          } satisfies ObservationOf<'tcp'>;
        } catch (error) {
          if (!(error instanceof LinkError)) throw error;
          const address = `${target.url.hostname}:${portOf(target.url)}`;
          yield {
            ...base,
            outcome: error.outcome,
            address,
            rttMs: null,
            synRetransmits: null,
          } satisfies ObservationOf<'tcp'>;
        }
        await opened?.close();
      }
    } finally {
      await transport.close();
    }
  },
};
